"""Container output becomes whole lines, whatever pieces it arrives in (spec C-28)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from longshore.run.lines import LONGEST_LINE, LineBuffer


def _through(pieces: list[bytes]) -> bytes:
    buffer = LineBuffer()
    return b"".join(map(buffer.feed, pieces)) + buffer.flush()


def test_an_unfinished_line_is_held_until_its_newline() -> None:
    buffer = LineBuffer()
    assert buffer.feed(b"one\ntw") == b"one\n"
    assert buffer.holds
    assert buffer.feed(b"o\n") == b"two\n"
    assert not buffer.holds


def test_the_end_of_the_stream_ends_the_last_line() -> None:
    assert _through([b"no newline"]) == b"no newline\n"


def test_a_carriage_return_overwrites_what_stands_before_it() -> None:
    assert _through([b"10%\r20%\r100%\nnext\r\n"]) == b"100%\nnext\n"


def test_output_without_newlines_does_not_grow_the_buffer() -> None:
    buffer = LineBuffer()
    out = b"".join(buffer.feed(b"x" * 10_000) for _ in range(1000))
    assert len(out) + len(buffer.flush()) >= 10_000_000
    assert max(map(len, out.split(b"\n"))) <= LONGEST_LINE + 10_000


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_where_the_pieces_are_cut_changes_nothing(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in pairwise(places)]
    assert _through(pieces) == _through([data])


@given(st.binary(max_size=300))
def test_everything_that_comes_out_ends_with_a_newline(data: bytes) -> None:
    out = _through([data])
    assert out == b"" or out.endswith(b"\n")
