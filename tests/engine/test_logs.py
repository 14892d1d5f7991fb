"""The demultiplexer: every byte once, in order, however the stream is cut."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.engine.logs import Demultiplexer
from longshore.engine.spec import OutputChunk
from longshore.errors import EngineError

Frames = list[tuple[int, bytes]]

frames = st.lists(st.tuples(st.integers(1, 2), st.binary(max_size=40)), max_size=12)


def _framed(parts: Frames) -> bytes:
    return b"".join(struct.pack(">BxxxI", stream, len(data)) + data for stream, data in parts)


def _cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def _merged(parts: Frames) -> Frames:
    merged: Frames = []
    for stream, data in parts:
        if merged and merged[-1][0] == stream:
            merged[-1] = (stream, merged[-1][1] + data)
        elif data:
            merged.append((stream, data))
    return merged


@given(frames, st.lists(st.integers(0, 1000), max_size=8))
def test_the_bytes_come_out_in_order_however_they_are_cut(parts: Frames, places: list[int]) -> None:
    demultiplexer = Demultiplexer()
    chunks: list[OutputChunk] = []
    for piece in _cut(_framed(parts), places):
        chunks += demultiplexer.feed(piece)
    demultiplexer.finish()
    assert all(chunk.data for chunk in chunks)
    got = _merged([(chunk.stream, chunk.data) for chunk in chunks])
    assert got == _merged([part for part in parts if part[1]])


@given(frames.filter(bool), st.data())
def test_a_cut_stream_gives_what_came_and_then_an_error(parts: Frames, data: st.DataObject) -> None:
    whole = _framed(parts)
    ends, position = {0}, 0
    for _, payload in parts:
        position += 8 + len(payload)
        ends.add(position)
    cut = data.draw(st.integers(0, len(whole)).filter(lambda place: place not in ends))
    demultiplexer = Demultiplexer()
    got = b"".join(chunk.data for chunk in demultiplexer.feed(whole[:cut]))
    with pytest.raises(EngineError, match="cut off"):
        demultiplexer.finish()
    assert b"".join(payload for _, payload in parts).startswith(got)


def test_neighbouring_frames_of_one_stream_become_one_chunk() -> None:
    chunks = Demultiplexer().feed(_framed([(1, b"a"), (1, b"b"), (2, b"c"), (1, b"d")]))
    assert [(c.stream, c.data) for c in chunks] == [(1, b"ab"), (2, b"c"), (1, b"d")]


def test_a_payload_is_given_before_its_frame_has_arrived() -> None:
    demultiplexer = Demultiplexer()
    header = struct.pack(">BxxxI", 1, 0xFFFFFFFF)
    assert [c.data for c in demultiplexer.feed(header + b"first")] == [b"first"]
    assert [c.data for c in demultiplexer.feed(b"second")] == [b"second"]


def test_the_engines_own_error_is_raised_at_the_end() -> None:
    demultiplexer = Demultiplexer()
    chunks = demultiplexer.feed(_framed([(1, b"out"), (3, b"log driver broke")]))
    assert [c.data for c in chunks] == [b"out"]
    with pytest.raises(EngineError, match="log driver broke"):
        demultiplexer.finish()


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(EngineError, match="unknown stream 72"):
        Demultiplexer().feed(b"HTTP/1.1 200 OK")
