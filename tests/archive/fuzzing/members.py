"""A tar as a list of members, and what chance does to them. The members know nothing of what they mean."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from tests.archive.broken import long_name
from tests.archive.build import BLOCK, END, checked, digest
from tests.archive.corpus.forms import member, pax, record

KINDS = b"0123456789gxLKSMDVAX\0Zz"
ADDRESSED = re.compile(rb"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")
"""A file that is named after the digest of its content."""
SIZED = re.compile(rb'("sha256:([0-9a-f]{64})", "size": )\d+')
"""A descriptor, as the forms here write it."""


@dataclass
class Member:
    """One file; `before` are extended headers, `patches` are put into its header, whose checksum is right at last."""

    name: bytes
    content: bytes = b""
    kind: bytes = b"0"
    link: bytes = b""
    before: list[bytes] = field(default_factory=list)
    patches: list[tuple[int, bytes]] = field(default_factory=list)
    fill: bytes = b"\0"

    def written(self) -> bytes:
        plain = member(self.name, self.content, self.kind, link=self.link[:100], fill=self.fill)
        block = bytearray(plain[:BLOCK])
        for start, value in self.patches:
            block[start : start + len(value)] = value
        return b"".join(self.before) + checked(block[:BLOCK]) + plain[BLOCK:]


def written(members: Sequence[Member]) -> bytes:
    return b"".join(it.written() for it in members) + END


def members_of(archive: bytes) -> list[Member]:
    """Of a tar of ours: short names, sizes in octal."""
    members, position = list[Member](), 0
    while archive[position : position + BLOCK].strip(b"\0"):
        block = archive[position : position + BLOCK]
        size = int(block[124:135], 8)
        content = archive[position + BLOCK : position + BLOCK + size]
        members.append(Member(block[:100].rstrip(b"\0"), content, block[156:157], block[157:257].rstrip(b"\0")))
        position += BLOCK + size + -size % BLOCK
    return members


def put_right(members: Sequence[Member]) -> None:
    """Name every file after its content again, and have the others refer to it so: as one does who forges an image."""
    for _ in range(4 * len(members)):
        wrong = next(((it, match) for it in members if (match := _misnamed(it))), None)
        if wrong is None:
            return
        file, match = wrong
        old, new = match[1], digest(file.content).encode()
        for it in members:
            it.name, it.link = it.name.replace(old, new), it.link.replace(old, new)
            if len(it.content) < 1 << 16:
                it.content = _resized(it.content.replace(old, new), new, len(file.content))


def _resized(text: bytes, digest: bytes, size: int) -> bytes:
    return SIZED.sub(lambda it: it[1] + b"%d" % size if it[2] == digest else it[0], text)


def _misnamed(it: Member) -> re.Match[bytes] | None:
    match = ADDRESSED.fullmatch(it.name)
    return match if match and it.kind == b"0" and match[1] != digest(it.content).encode() else None


Change = Callable[[Random, list[Member]], None]


def swap(chance: Random, members: list[Member]) -> None:
    one, other = (chance.randrange(len(members)) for _ in range(2))
    members[one], members[other] = members[other], members[one]


def drop(chance: Random, members: list[Member]) -> None:
    del members[chance.randrange(len(members))]


def double(chance: Random, members: list[Member]) -> None:
    members.insert(chance.randrange(len(members) + 1), replace(chance.choice(members)))


def rename(chance: Random, members: list[Member]) -> None:
    file, other = chance.choice(members), chance.choice(members)
    file.name = chance.choice(
        [
            other.name,
            b"./" + file.name,
            file.name + b"/",
            file.name.rstrip(b"/") + b"/../" + other.name,
            b"../" + file.name,
            b"/" + file.name,
            file.name.swapcase(),
            file.name.replace(b"/", b"//", 1),
            b"",
            file.name + b"\0" + other.name,
            file.name[:-1],
            other.name.rstrip(b"/") + b"/" + file.name,
            b".wh." + file.name,
            other.name.rstrip(b"/") + b"/.wh..wh..opq",
        ]
    )[:100]


def retarget(chance: Random, members: list[Member]) -> None:
    file, other = chance.choice(members), chance.choice(members)
    file.kind = chance.choice([b"1", b"2", b"2", file.kind])
    file.link = chance.choice([other.name, b"../" + other.name, b"/" + other.name, b"../../etc", b"/", b".", file.name])
    file.content = chance.choice([b"", file.content])


def change_kind(chance: Random, members: list[Member]) -> None:
    chance.choice(members).kind = bytes([chance.choice(KINDS)])


def change_content(chance: Random, members: list[Member]) -> None:
    file, other = chance.choice(members), chance.choice(members)
    at = chance.randrange(len(file.content) + 1)
    noise = chance.randbytes(chance.randrange(1, 9))
    file.content = chance.choice(
        [
            file.content[:at],
            file.content[:at] + noise + file.content[at:],
            file.content[:at] + noise + file.content[at + len(noise) :],
            file.content + bytes(chance.choice([1, 512, 1024])),
            other.content,
            b"",
        ]
    )


def extend(chance: Random, members: list[Member]) -> None:
    """Put an extended header before a member, or two."""
    file, other = chance.choice(members), chance.choice(members)
    value = chance.choice([other.name, file.name, b"../x", b"/etc/passwd", b"", b"x\0y", b"%d" % len(file.content)])
    keys = ["path", "linkpath", "size", "mtime", "uid", "uname", "GNU.sparse.map", "hdrcharset", "comment"]
    keys += ["SCHILY.xattr.user.x", "SCHILY.xattr.trusted.overlay.opaque", "GNU.sparse.name", "SCHILY.realsize"]
    records = [record(chance.choice(keys), value) for _ in range(chance.choice([1, 1, 2]))]
    file.before.append(
        chance.choice(
            [
                pax(*records),
                pax(*records, kind=b"g"),
                long_name(value + b"\0"),
                long_name(value + b"\0", b"K"),
                pax(chance.randbytes(20)),
            ]
        )
    )


FIELDS = ((0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (157, 100), (257, 8), (265, 32), (345, 155))
"""Offset and length of the fields of a header (POSIX, ustar), but for the kind and the checksum; the last is below."""
REST = (500, 12)
VALUES = (b"\x80" + bytes(7), b"\xff" * 8, b"-1", b"0000010\0", b" 644 \0", b"7" * 8, bytes(8), b"ustar  \0", b"blobs")


def patch(chance: Random, members: list[Member]) -> None:
    """Another value in a field of the header."""
    start, length = chance.choice([*FIELDS, REST])
    value = chance.choice([*VALUES, chance.randbytes(3)])
    chance.choice(members).patches.append((start, value[:length]))


def litter(chance: Random, members: list[Member]) -> None:
    chance.choice(members).fill = bytes([chance.randrange(256)])


CHANGES: Sequence[Change] = (
    swap,
    drop,
    double,
    rename,
    retarget,
    change_kind,
    change_content,
    extend,
    patch,
    litter,
)
