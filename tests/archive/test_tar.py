"""The two dialects of tar: what layers may have, and an archive may not."""

import io
import time
from collections.abc import Callable

import pytest

from tests.archive.broken import long_name
from tests.archive.build import BLOCK, END, checked, header
from tests.archive.corpus.forms import member, pax, record
from tests.figures import tell
from wizard.archive.limits import AHEAD, LARGEST_EXTENSION, MOST_LAYER_HEADERS, MOST_ZEROS
from wizard.archive.tar import INSIDE, OUTSIDE, Dialect, Entry, Kind, Source, Tar
from wizard.archive.verdicts import Refused


def entries(data: bytes, dialect: Dialect = INSIDE) -> list[Entry]:
    return list(Tar(Source(io.BytesIO(data)), dialect).entries())


def only(*blocks: bytes, dialect: Dialect = INSIDE) -> Entry:
    (entry,) = entries(b"".join(blocks) + END, dialect)
    return entry


def refusal(data: bytes, dialect: Dialect = INSIDE) -> str:
    with pytest.raises(Refused) as refused:
        entries(data, dialect)
    return refused.value.code


def changed(start: int, value: bytes) -> bytes:
    block = bytearray(header(b"x", 0))
    block[start : start + len(value)] = value
    return checked(block)


WIDE: dict[str, tuple[bytes, Entry]] = {
    "a size in base 256": (member("x", b"y", size=b"\x80" + bytes(10) + b"\1"), Entry(b"x", Kind.FILE, 1, b"", 0o644)),
    "a size that is left out": (member("x", size=bytes(12)), Entry(b"x", Kind.FILE, 0, b"", 0o644)),
    "a target by pax": (
        pax(record("linkpath", "a" * 300)) + member("x", b"", b"2", link="a"),
        Entry(b"x", Kind.LINK, 0, b"a" * 300, 0o644),
    ),
    "a target by GNU's header": (
        long_name(b"a" * 300 + b"\0", b"K") + member("x", b"", b"1", link="a"),
        Entry(b"x", Kind.HARD_LINK, 0, b"a" * 300, 0o644),
    ),
    "a capability": (
        pax(record("SCHILY.xattr.security.capability", b"\0=\n")) + member("x"),
        Entry(b"x", Kind.FILE, 0, b"", 0o644),
    ),
    "an owner in base 256": (changed(108, b"\x80" + bytes(7)), Entry(b"x", Kind.FILE, 0, b"", 0o644)),
    "something behind a name's end": (member("x\0y"), Entry(b"x", Kind.FILE, 0, b"", 0o644)),
}


@pytest.mark.parametrize(("data", "expected"), WIDE.values(), ids=WIDE)
def test_layers_may_have_what_an_archive_may_not(data: bytes, expected: Entry) -> None:
    assert only(data) == expected
    assert refusal(data + END, OUTSIDE) == "header"


SAME: dict[str, bytes] = {
    "a plain file": member("x"),
    "a setuid file": member("x", mode=b"0004755"),
    "harmless records": pax(record("mtime", "1.5"), record("LIBARCHIVE.creationtime", "1"), record("uid", "0"))
    + member("x"),
    "a time before 1970": pax(record("mtime", "-1.5")) + member("x"),
    "numbers that are left out": changed(108, bytes(16)),
    "GNU's magic": member("x", magic=b"ustar  \0"),
}


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_both_read_what_is_plain_alike(data: bytes) -> None:
    assert only(data) == only(data, dialect=OUTSIDE)


AMBIGUOUS: dict[str, bytes] = {
    "a negative number": changed(124, b"\xff" * 12),
    "a mode in words": changed(100, b"rwxr-xr\0"),
    "an owner in words": changed(108, b"nobody\0\0"),
    "a time in words": changed(136, b"yesterday\0"),
    "a number with a gap": changed(116, b"00 0000\0"),
    "an owner by pax in words": pax(record("uid", "nobody")) + member("x"),
    "a time by pax in words": pax(record("mtime", "noon")) + member("x"),
    "a name by pax with a zero in its key": pax(record("comment\0", "x")) + member("x"),
    "a name twice by pax": pax(record("path", "a")) + pax(record("path", "b")) + member("x"),
    "two pax headers": pax(record("path", "a")) + pax(record("mtime", "1")) + member("x"),
    "a name by pax and by GNU": long_name(b"a\0") + pax(record("path", "b")) + member("x"),
    "a target by pax and by GNU": long_name(b"a\0", b"K") + pax(record("linkpath", "b")) + member("x", b"", b"2"),
    "an empty target": pax(record("linkpath", "")) + member("x", b"", b"2", link="y"),
    "a target with a zero in it": pax(record("linkpath", b"a\0b")) + member("x", b"", b"2"),
    "an attribute of overlay": pax(record("SCHILY.xattr.user.overlay.redirect", "/etc")) + member("x"),
    "an attribute of trust": pax(record("SCHILY.xattr.trusted.overlay.opaque", "y")) + member("x"),
    "another character set": pax(record("hdrcharset", "BINARY")) + member("x"),
    "a global header": pax(record("mtime", "1"), kind=b"g") + member("x"),
    "a sparse file": pax(record("GNU.sparse.major", "1")) + member("x"),
    "a link with content": member("x", b"y", b"2", link="z"),
    "a device with content": member("x", b"y", b"3"),
    "an unknown kind": member("x", b"", b"7"),
}


@pytest.mark.parametrize("dialect", [INSIDE, OUTSIDE], ids=["inside", "outside"])
@pytest.mark.parametrize("data", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_two_programs_could_read_differently_is_refused_everywhere(data: bytes, dialect: Dialect) -> None:
    assert refusal(data + END, dialect) == "header"


def test_what_fills_a_block_of_an_archive_is_zeros() -> None:
    data = member("x", b"y", fill=b"\x90") + END
    assert refusal(data, OUTSIDE) == "padding"
    assert len(entries(data)) == 1


@pytest.mark.parametrize("start", [2, 160, 345 + 4, 500], ids=["name", "target", "prefix", "rest"])
def test_what_is_not_used_in_a_header_of_an_archive_is_zeros(start: int) -> None:
    assert refusal(changed(start, b"hidden") + END, OUTSIDE) == "header"
    assert len(entries(changed(start, b"hidden") + END)) == 1


def test_zeros_after_the_end_are_read_to_a_limit() -> None:
    assert entries(END + bytes(MOST_ZEROS)) == []
    assert refusal(END + bytes(MOST_ZEROS + 1)) == "trailing"


def test_an_extension_has_a_size_that_both_limit() -> None:
    long = pax(record("comment", b"x" * LARGEST_EXTENSION)) + member("x") + END
    assert len(entries(long)) == 1
    assert refusal(long, OUTSIDE) == "name"
    assert refusal(header(b"pax", 1 << 21, b"x") + END) == "name"


def test_headers_without_a_file_come_to_an_end() -> None:
    class Endless:
        def read(self, size: int, /) -> bytes:
            return member("x", b"", b"K") * (size // BLOCK)

    with pytest.raises(Refused) as refused:
        list(Tar(Source(Endless()), INSIDE).entries())
    assert (refused.value.code, refused.value.params["limit"]) == ("too-many-members", MOST_LAYER_HEADERS)


def test_a_size_beyond_all_limits_is_refused_before_it_is_read() -> None:
    assert refusal(member("x", size=b"77777777777\0")) == "too-large"


@pytest.mark.parametrize("most", [1, 511, 513, AHEAD, 1 << 22])
def test_a_source_gives_the_same_however_its_stream_gives(most: int) -> None:
    class Stream(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, most))

    content = bytes(range(256)) * 1200
    source = Source(Stream(content))
    parts = [source.exactly(512), b"".join(source.pieces(100_000)), source.exactly(7), source.read(3)]
    rest: Callable[[], bytes] = lambda: source.read(1 << 20)  # noqa: E731
    parts += iter(rest, b"")
    assert b"".join(parts) == content
    assert source.position == len(content)


def test_it_is_told_how_many_files_are_read_in_a_second() -> None:
    data = b"".join(member(f"usr/share/{number}", b"x") for number in range(20_000)) + END
    begin = time.process_time()
    assert len(entries(data)) == 20_000
    tell("archive.entries_per_s", 20_000 / (time.process_time() - begin), ">=", 1000, digits=0)
