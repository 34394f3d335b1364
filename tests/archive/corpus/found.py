"""What the fuzzer found (tests/archive/fuzzing): each was accepted once.

Of the numbers nothing here depends on, but engines read them: Docker does not load such layers ("invalid tar header").
"""

from tests.archive.broken import ID, with_first
from tests.archive.corpus.forms import member, patched, pax, record, upon
from tests.archive.corpus.making import Case, good, layered

UID, GID, TIME, MAJOR = 108, 116, 136, 329
"""Where in a header such a number begins (POSIX, ustar)."""
FILE = member("usr/x", b"y")

FOUND: dict[str, Case] = {
    "an owner in a layer that is no number": Case("layer-tar", layered(patched(FILE, UID, b"blobs00"))),
    "a group in a layer that is no number": Case("layer-tar", layered(patched(FILE, GID, b"0000089"))),
    "a time in a layer that is no number": Case("layer-tar", layered(patched(FILE, TIME, b"yesterday"))),
    "the number of a device that is none": Case("layer-tar", layered(patched(FILE, MAJOR, b"0x10"))),
    "an owner by pax that is no number": Case("layer-tar", layered(pax(record("uid", "x")), FILE)),
    "a time by pax that is no number": Case("layer-tar", layered(pax(record("mtime", "noon")), FILE)),
    "another time by pax that is no number": Case("layer-tar", layered(pax(record("atime", "noon")), FILE)),
    "an owner's name by pax with a zero in it": Case("layer-tar", layered(pax(record("uname", b"a\0b")), FILE)),
    "a time before 1970": good(upon(pax(record("mtime", "-1.5")), FILE)),
    "an owner beyond the room of a header": good(upon(pax(record("uid", "9999999999")), FILE)),
    "an owner in base 256": good(upon(patched(FILE, UID, b"\x80" + (1 << 40).to_bytes(7, "big")))),
    "an owner that is no number": Case("header", with_first(patched(member(f"{ID}/json"), UID, b"blobs00"))),
}
