"""What is packed: every way to write it, and every way to ask for too much."""

import gzip
import io
import lzma
import random
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest
from backports import zstd as library

from tests.archive.corpus.forms import blocks, skippable, zstd, zstd_window
from tests.figures import tell
from wizard.archive.limits import LARGEST_WINDOW, MOST_STREAMS
from wizard.archive.packed import GZIP, PLAIN, XZ, ZSTD, opened
from wizard.archive.tar import Readable
from wizard.archive.verdicts import Refused

Pack = Callable[[bytes], bytes]
TEXT = b"".join(b"line %d\n" % number for number in range(40_000))
GZIPPED: Pack = partial(gzip.compress, compresslevel=1, mtime=0)
PACKS: dict[str, tuple[str, Pack]] = {
    "plain": (PLAIN, bytes),
    "gzip": (GZIP, GZIPPED),
    "gzip as bgzip writes it": (GZIP, lambda it: blocks(it, 65_280, GZIPPED) + GZIPPED(b"")),
    "xz": (XZ, lzma.compress),
    "xz of two streams with zeros behind each": (XZ, lambda it: blocks(it, 300_000, lzma.compress) + bytes(12)),
    "zstd": (ZSTD, zstd),
    "zstd as pzstd writes it": (ZSTD, lambda it: blocks(it, 100_000, lambda part: skippable(bytes(4)) + zstd(part))),
    "zstd as zstd:chunked has it": (ZSTD, lambda it: blocks(it, 9_000, zstd) + skippable(bytes(99_000)) * 2),
    "zstd with the largest window": (ZSTD, lambda it: zstd_window(it, LARGEST_WINDOW)),
}


class Dripping(io.BytesIO):
    """Gives a few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 777))


def whole(stream: Readable) -> bytes:
    return b"".join(iter(partial(stream.read, 1 << 20), b""))


def unpacked(packed: bytes) -> bytes:
    return whole(opened(io.BytesIO(packed))[0])


def refusal(packed: bytes) -> str:
    with pytest.raises(Refused) as refused:
        unpacked(packed)
    return refused.value.code


@pytest.mark.parametrize(("form", "pack"), PACKS.values(), ids=PACKS)
@pytest.mark.parametrize("stream", [io.BytesIO, Dripping])
def test_whatever_it_is_packed_with_comes_out_and_how_is_told(
    form: str, pack: Pack, stream: Callable[[bytes], io.BytesIO]
) -> None:
    plain, told = opened(stream(pack(TEXT)))
    assert (whole(plain), told) == (TEXT, form)


@pytest.mark.parametrize("pack", [GZIPPED, lzma.compress, zstd])
def test_what_is_cut_anywhere_is_never_taken_for_whole(pack: Pack) -> None:
    packed = pack(TEXT)
    for end in random.Random(1).sample(range(8, len(packed)), 60):
        assert refusal(packed[:end]) == "truncated"


@pytest.mark.parametrize("pack", [GZIPPED, lzma.compress, zstd])
def test_only_more_of_the_same_kind_may_follow(pack: Pack) -> None:
    others = {GZIPPED, lzma.compress, zstd} - {pack}
    for rest in (b"more", bytes(3), bytes(512) + b"x", *(other(TEXT) for other in others)):
        assert refusal(pack(TEXT) + rest) == "trailing"


@pytest.mark.parametrize("pack", [GZIPPED, lzma.compress, zstd])
def test_an_empty_stream_may_only_be_the_last(pack: Pack) -> None:
    assert unpacked(pack(TEXT) + pack(b"")) == TEXT
    assert refusal(pack(TEXT) + pack(b"") + pack(TEXT)) == "packed-streams"


def test_more_streams_than_any_tool_writes_are_refused() -> None:
    assert unpacked(GZIPPED(b"x") * MOST_STREAMS) == b"x" * MOST_STREAMS
    assert refusal(GZIPPED(b"x") * (MOST_STREAMS + 1)) == "packed-streams"


def test_a_window_that_takes_too_much_memory_is_refused_before_it_is_made() -> None:
    packed = zstd_window(TEXT, LARGEST_WINDOW + 2), lzma.compress(TEXT, preset=9)
    tracemalloc.start()
    assert [refusal(it) for it in packed] == ["packed-memory"] * 2
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("pack", [gzip.compress, partial(lzma.compress, preset=0), zstd])
def test_a_bomb_is_refused_when_it_has_become_a_hundred_times_what_was_read(pack: Pack) -> None:
    assert refusal(pack(bytes(96 << 20))) == "packed-ratio"


def test_what_is_packed_twice_is_refused() -> None:
    assert refusal(GZIPPED(zstd(TEXT))) == "packed-twice"


@pytest.mark.parametrize(("begin", "kind"), [(b"BZh9", "bzip2"), (b"\x04\x22\x4d\x18", "lz4")])
def test_what_is_packed_in_another_way_is_called_by_its_name(begin: bytes, kind: str) -> None:
    with pytest.raises(Refused) as refused:
        opened(io.BytesIO(begin + bytes(600)))
    assert (refused.value.code, refused.value.params["kind"]) == ("compressed", kind)


def test_little_is_read_ahead() -> None:
    source = io.BytesIO(GZIPPED(random.Random(1).randbytes(4 << 20)))
    plain, _ = opened(source)
    plain.read(1)
    assert source.tell() <= 1 << 17


def test_it_is_told_how_fast_it_unpacks() -> None:
    chance = random.Random(1)
    content = b"".join(b"%d %s\n" % (number, chance.randbytes(9).hex().encode()) for number in range(400_000))
    for name, pack in {"gzip": GZIPPED, "zstd": library.compress}.items():
        packed = pack(content)
        begin = time.process_time()
        assert len(unpacked(packed)) == len(content)
        tell(f"archive.unpack.{name}_mb_s", len(content) / 1e6 / (time.process_time() - begin), ">=", 1, digits=0)
