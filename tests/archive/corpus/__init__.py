"""The corpus: archives by what is peculiar about them, each with the verdict that it must get. Made by code.

Those of broken.py belong to it as well; what the fuzzer finds is kept in found.py.
"""

from collections.abc import Mapping

from tests.archive.broken import BROKEN
from tests.archive.corpus.bombs import BOMBS
from tests.archive.corpus.claims import CLAIMS
from tests.archive.corpus.configuration import CONFIGURATION
from tests.archive.corpus.descriptions import DESCRIPTIONS
from tests.archive.corpus.digests import DIGESTS
from tests.archive.corpus.ending import ENDING
from tests.archive.corpus.found import FOUND
from tests.archive.corpus.headers import HEADERS
from tests.archive.corpus.images import IMAGES
from tests.archive.corpus.layers import LAYERS
from tests.archive.corpus.making import Case
from tests.archive.corpus.names import NAMES
from tests.archive.corpus.outer import OUTER

GROUPS: Mapping[str, Mapping[str, Case]] = {
    "outer": OUTER,
    "bombs": BOMBS,
    "headers": HEADERS,
    "names": NAMES,
    "ending": ENDING,
    "descriptions": DESCRIPTIONS,
    "digests": DIGESTS,
    "images": IMAGES,
    "configuration": CONFIGURATION,
    "claims": CLAIMS,
    "layers": LAYERS,
    "found": FOUND,
    "broken": {name: Case(*it) for name, it in BROKEN.items()},
}
