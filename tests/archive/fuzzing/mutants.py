"""An archive from a seed: a good one of some form, changed in its layers, its descriptions, its members, its bytes."""

import gzip
import lzma
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from random import Random

from backports import zstd as library

from tests.archive.build import GOOD, Files, Recipe, digest, legacy, modern, podmans, tar
from tests.archive.corpus.forms import (
    Configured,
    attested,
    blocks,
    containerds,
    layer,
    member,
    oci,
    pax,
    record,
    skippable,
)
from tests.archive.fuzzing.documents import edited
from tests.archive.fuzzing.members import CHANGES, Member, members_of, put_right, written

LAYER = layer(
    member("usr/", b"", b"5"),
    member("usr/bin/", b"", b"5"),
    member("usr/bin/sh", b"#!\n", mode=b"0004755"),
    member("usr/bin/dash", b"", b"1", link="usr/bin/sh"),
    member("bin", b"", b"2", link="usr/bin"),
    member("etc/", b"", b"5"),
    member("etc/.wh.motd"),
    pax(record("path", "etc/" + "n" * 120), record("mtime", "1700000000.5")),
    member("etc/n", b"x"),
)
UPPER = layer(member("app/", b"", b"5"), member("app/x", b"y"), member("usr/lib/x"))
RUNS = {
    "User": "65532",
    "Env": ["PATH=/bin"],
    "Entrypoint": ["/bin/sh"],
    "WorkingDir": "/app",
    "ExposedPorts": {"8080/tcp": {}},
}
PLAIN = GOOD.but(base=(layer(member("etc/", b"", b"5"), member("etc/x", b"ID\n")),))
RECIPES: Sequence[Recipe] = (
    PLAIN,
    PLAIN.but(base=(LAYER, UPPER)),
    Configured(base=(UPPER,), runs=RUNS, says={"history": [{"created_by": "x", "empty_layer": True}]}),
)
FORMS: Sequence[Callable[[Recipe], Files]] = (modern, modern, legacy, podmans, oci, containerds, attested)
_gzip = partial(gzip.compress, compresslevel=1, mtime=0)
_xz = partial(lzma.compress, preset=0)
_zstd = partial(library.compress, level=1)
Pack = Callable[[bytes], bytes]
PACKS: Sequence[Pack] = (bytes, bytes, bytes, _gzip, _zstd, lambda it: blocks(it, 700, _gzip) + _gzip(b""))
AROUND: Sequence[Pack] = (
    *(bytes,) * 20,
    _gzip,
    _xz,
    _zstd,
    lambda it: blocks(it, 6000, _gzip) + _gzip(b""),
    lambda it: blocks(it, 6000, _xz) + bytes(4),
    lambda it: blocks(it, 6000, _zstd) + skippable(bytes(9)),
    lambda it: _gzip(it[:6000]) + _zstd(it[6000:]),
    lambda it: _zstd(_gzip(it)),
)


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """An archive, and what it may be accepted as: under one of `ids`, with those layers and that licence."""

    archive: bytes
    ids: frozenset[str]
    diff_ids: tuple[str, ...]
    envelope: bytes


def mutant(seed: int) -> Mutant:
    chance = Random(seed)
    way = chance.choice(WAYS)
    return way(chance)


@cache
def _issued(recipe: int, form: int, pack: int) -> tuple[Recipe, bytes]:
    image = _signed(RECIPES[recipe].but(pack=PACKS[pack]))
    return image, tar(FORMS[form](image))


def _signed(image: Recipe) -> Recipe:
    """The same, with its claims signed once and for all: that takes longer than all else here."""
    return image.but(label=image.envelope, in_file=image.envelope)


def _image(chance: Random) -> tuple[Recipe, bytes]:
    return _issued(*(chance.randrange(len(them)) for them in (RECIPES, FORMS, PACKS)))


def unchanged(image: Recipe, archive: bytes) -> Mutant:
    """A good archive of an image."""
    return _of(_signed(image), archive)


def _of(image: Recipe, archive: bytes, *more: str) -> Mutant:
    return Mutant(
        archive=archive,
        ids=frozenset({digest(image.config), *more}),
        diff_ids=tuple(f"sha256:{digest(it)}" for it in image.layers),
        envelope=image.label or b"",
    )


def of_members(chance: Random) -> Mutant:
    """Its members are moved, lost, doubled, renamed, or of another kind."""
    image, archive = _image(chance)
    members = members_of(archive)
    changed(chance, members)
    return _of(image, packed(chance, written(members)))


def of_forgery(chance: Random) -> Mutant:
    """Its descriptions and files are changed, and all digests put right: the configuration may be another then."""
    image, archive = _image(chance)
    members = members_of(archive)
    config = image.config
    own = next(it for it in members if it.content == config)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        described = [it for it in members if it.content[:1] in (b"{", b"[")]
        file = chance.choice([own, chance.choice(described)])
        file.content = edited(chance, file.content)
    if chance.random() < 0.2:
        changed(chance, members)
    put_right(members)
    return _of(image, packed(chance, written(members)), digest(own.content))


def of_layers(chance: Random) -> Mutant:
    """A licence that was rightly issued upon a base whose layers were changed."""
    layers = [_remade(chance, it) for it in chance.choice([(LAYER,), (LAYER, UPPER), (UPPER, LAYER)])]
    if chance.random() < 0.2:
        layers[-1] = scarred(chance, layers[-1])
    image = _signed(GOOD.but(base=tuple(layers), pack=chance.choice([*PACKS, _scarring(chance)])))
    return _of(image, tar(modern(image)))


def _scarring(chance: Random) -> Pack:
    """Packed layers that are changed; each alike whenever it is packed."""
    pack, seed = chance.choice(PACKS), chance.random()
    return lambda it: scarred(Random(seed), pack(it))


def _remade(chance: Random, content: bytes) -> bytes:
    members = members_of(content)
    changed(chance, members)
    return written(members)


def of_bytes(chance: Random) -> Mutant:
    """Its bytes are changed, whatever they mean."""
    image, archive = _image(chance)
    return _of(image, scarred(chance, packed(chance, archive)))


WAYS: Sequence[Callable[[Random], Mutant]] = (of_members, of_forgery, of_forgery, of_layers, of_layers, of_bytes)


def packed(chance: Random, archive: bytes) -> bytes:
    return chance.choice(AROUND)(archive)


def changed(chance: Random, members: list[Member]) -> None:
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        if members:
            chance.choice(CHANGES)(chance, members)


def scarred(chance: Random, content: bytes) -> bytes:
    """Bits, bytes and blocks of it changed, moved, lost or added."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        if content:
            content = chance.choice(list(SCARS.values()))(chance, content)
    return content


def _flip(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def _cut(chance: Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content))]


def _lose_block(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content)) // 512 * 512
    return content[:at] + content[at + 512 :]


def _move_block(chance: Random, content: bytes) -> bytes:
    one, other = (chance.randrange(len(content)) // 512 * 512 for _ in range(2))
    return content[:one] + content[other : other + 512] + content[one + chance.choice([0, 512]) :]


def _insert(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice([bytes(512), bytes(1024), chance.randbytes(512), b"x"]) + content[at:]


def _append(chance: Random, content: bytes) -> bytes:
    return content + chance.choice([bytes(512), bytes(1), b"x", content[:700], chance.randbytes(30)])


SCARS: Mapping[str, Callable[[Random, bytes], bytes]] = {
    "flip": _flip,
    "cut": _cut,
    "lose a block": _lose_block,
    "move a block": _move_block,
    "insert": _insert,
    "append": _append,
}
