"""What follows after the end mark."""

import gzip

from tests.archive.build import END
from tests.archive.corpus.making import MEBIBYTE, Case, good, whole

ENDING: dict[str, Case] = {
    "a second archive that is packed": Case("trailing", whole(lambda it: it + gzip.compress(it))),
    "a record of zeros and a byte": Case("trailing", whole(lambda it: it + bytes(10_239) + b"x")),
    "one byte of zeros too many": good(around=lambda it: it + bytes(1)),
    "the end mark in the middle": Case("trailing", whole(lambda it: END + it)),
    "many records of zeros": Case("trailing", whole(lambda it: it + bytes(32 * MEBIBYTE))),
}
