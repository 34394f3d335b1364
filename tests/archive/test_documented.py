"""docs/archive.md is true: it has every verdict, in the order of the checks, and every limit with its value."""

import io
import re

import pytest

from tests.archive.build import BASE, GOOD, STRANGER, VENDOR_KEYS, Files, modern, tar
from tests.archive.corpus.forms import Configured, blobs, member, upon
from wizard.archive import limits
from wizard.archive.reader import read_image
from wizard.archive.verdicts import VERDICTS, Refused
from wizard.settings import ROOT

PAGE = (ROOT / "docs" / "archive.md").read_text()
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
DOCUMENTED = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)

PAIRS: list[tuple[str, Files]] = [
    ("unexpected", {"stranger": b"", f"blobs/sha256/{'ab' * 32}": b"x"}),
    ("blob-digest", {f"blobs/sha256/{'ab' * 32}": b"x"} | modern(GOOD.but(names=["nginx:1"]))),
    ("foreign-repository", modern(GOOD.but(names=["nginx:1"], architecture="arm64"))),
    ("architecture", modern(upon(member("dev/sda", b"", b"3"), recipe=GOOD.but(architecture="arm64")))),
    (
        "layer-device",
        modern(Configured(base=upon(member("dev/sda", b"", b"3")).base, runs={"OnBuild": ["RUN true"]})),
    ),
    ("configuration", modern(Configured(runs={"OnBuild": ["RUN true"]})) | blobs(b"hidden")),
    ("unreferenced", modern(GOOD.but(signer=STRANGER)) | blobs(b"hidden")),
    ("claims-unknown-key", modern(GOOD.but(signer=STRANGER, base=BASE[:1], extra={"etc/": b""}))),
]
"""Archives that have two faults each, of neighbouring steps."""


def test_every_verdict_is_documented_once() -> None:
    assert sorted(DOCUMENTED) == sorted(VERDICTS)


def test_every_limit_is_documented_with_its_value() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([\d,]+)(?: (\w+))? \|", PAGE, re.MULTILINE)
    documented = {name: int(number.replace(",", "")) * UNITS[unit] for name, number, unit in rows}
    assert documented == {name: value for name, value in vars(limits).items() if name.isupper()}


@pytest.mark.parametrize(("first", "files"), PAIRS, ids=[first for first, _ in PAIRS])
def test_the_first_fault_in_the_documented_order_is_told(first: str, files: Files) -> None:
    with pytest.raises(Refused) as refused:
        read_image(io.BytesIO(tar(files)), VENDOR_KEYS)
    assert refused.value.code == first


def test_the_archives_with_two_faults_follow_the_documented_order() -> None:
    told = [first for first, _ in PAIRS]
    assert told == sorted(told, key=DOCUMENTED.index)
