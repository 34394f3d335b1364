"""What a container printed, as it comes from an engine."""

import struct
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from wizard.backends.engine.reading import LONGEST_OUTPUT, output_of


def framed(*contents: bytes) -> bytes:
    """As without a terminal: each piece with the number of its stream and its length before it."""
    return b"".join(struct.pack(">BxxxL", 1 + number % 2, len(it)) + it for number, it in enumerate(contents))


def cut(stream: bytes, size: int) -> Iterator[bytes]:
    return (stream[at : at + size] for at in range(0, len(stream), size))


@given(st.lists(st.text("abcé\n", max_size=50)), st.integers(1, 70))
def test_frames_are_put_together_wherever_the_stream_is_cut(printed: list[str], size: int) -> None:
    stream = framed(*(text.encode() for text in printed))
    assert output_of(cut(stream, size)) == "".join(printed)


def test_a_terminals_output_has_no_frames() -> None:
    assert output_of([b"one\r\n", b"two\r\n"], has_terminal=True) == "one\ntwo\n"


def test_of_a_line_without_end_the_last_part_is_kept() -> None:
    pieces = (framed(b"x" * (1 << 20)) for _ in range(12))
    text = output_of((*pieces, framed(b"the end")))
    assert len(text) == LONGEST_OUTPUT
    assert text.endswith("xthe end")


def test_more_than_is_ever_printed_is_not_waited_for() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield framed(b"y" * (1 << 20))

    assert len(output_of(endless())) == LONGEST_OUTPUT
    assert read < 20


def test_a_frame_that_is_cut_short_is_shown_as_far_as_it_came() -> None:
    assert output_of([framed(b"whole")[:-2]]) == "who"
    assert output_of([b"\x01\0\0"]) == ""


@given(st.binary(max_size=300))
def test_no_control_character_gets_through(printed: bytes) -> None:
    text = output_of([framed(printed)])
    assert [it for it in text if it not in "\n\t" and (ord(it) < 32 or 127 <= ord(it) < 160)] == []
