"""Names of files that are not what they seem, and names that are there twice."""

from tests.archive.broken import ID, with_first
from tests.archive.build import GOOD, digest
from tests.archive.corpus.forms import member
from tests.archive.corpus.making import Case, aliased, manifest_with

NAMES: dict[str, Case] = {
    "two slashes": Case("name", aliased("blobs//sha256/x")),
    "a detour": Case("escaping", aliased("blobs/../manifest.json")),
    "a dot in the middle": Case("name", aliased("blobs/./manifest.json")),
    "two dots at the front": Case("name", aliased("././manifest.json")),
    "another case": Case("unexpected", aliased("Manifest.json")),
    "a digest in upper case": Case("unexpected", with_first(member(f"blobs/sha256/{ID.upper()}"))),
    "an accent composed": Case("unexpected", aliased("maniféſt.json")),
    "full-width letters": Case("unexpected", aliased("ｍanifest.json")),
    "a backslash": Case("unexpected", aliased("blobs\\manifest.json")),
    "a slash at the end of a file": Case("name", aliased("manifest.json/")),
    "a space at the end": Case("unexpected", aliased("manifest.json ")),
    "a folder twice": Case("duplicate", with_first(member("blobs/", b"", b"5"))),
    "a file where a folder is": Case("unexpected", with_first(member("blobs"))),
    "the same blob twice": Case("duplicate", with_first(member(f"blobs/sha256/{digest(GOOD.config)}", GOOD.config))),
    "another name after the zero in the header": Case("header", manifest_with(name="manifest.json\0oci-layout")),
    "a Windows drive": Case("unexpected", aliased("C:manifest.json")),
    "another algorithm": Case("unexpected", with_first(member("blobs/sha512/" + "ab" * 64))),
}
