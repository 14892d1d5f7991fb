"""The engine's record of a layer: whatever Go's encoder may write comes back, however it is cut."""

from __future__ import annotations

import gzip
import io
import itertools
import json
from base64 import b64encode
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import ContentMismatch
from longshore.image.tarsplit import Piece, parse_pieces, read_pieces

_RAW = st.binary(min_size=1, max_size=600).map(lambda raw: (raw, b"", 0))
_FILES = st.tuples(
    st.just(b""),
    # Names of text with all that JSON escapes, and names that are no text.
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.encode)
    | st.binary(min_size=1),
    st.integers(1, 1 << 40),
)
_PIECES = st.lists(_RAW | _FILES, max_size=20)


@given(_PIECES, st.lists(st.integers(0, 4000), max_size=5))
def test_pieces_come_back_however_the_lines_are_cut(pieces: list[Piece], cuts: list[int]) -> None:
    whole = b"".join(_line(piece) for piece in pieces)
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    chunks = [whole[start:end] for start, end in itertools.pairwise(edges)]
    assert list(parse_pieces(chunks)) == pieces


def test_what_has_no_content_is_left_out() -> None:
    lines = (
        b'{"type":2,"payload":null,"position":0}\n'
        b'{"type":1,"name":"directory/","payload":null,"position":1}\n'
        b'{"type":1,"name":"file","size":3,"payload":"AAAAAAAAAAA=","position":2}'
    )
    assert list(parse_pieces([lines])) == [(b"", b"file", 3)]


def test_a_record_longer_than_what_is_unpacked_at_a_time_is_read_whole() -> None:
    pieces = [(bytes(512), b"", 0), (b"", b"some/file", 7)] * 10_000
    record = gzip.compress(b"".join(_line(piece) for piece in pieces))
    assert list(read_pieces(io.BytesIO(record))) == pieces


@pytest.mark.parametrize("length", [1 << 20, 5 << 20])
def test_one_long_piece_is_read_whole(length: int) -> None:
    """As of a tar with content that its walker did not take for a file's."""
    pieces = [(b"start", b"", 0), (Random(1).randbytes(length), b"", 0), (b"", b"some/file", 7)]
    record = gzip.compress(b"".join(_line(piece) for piece in pieces), 1)
    assert list(read_pieces(io.BytesIO(record))) == pieces


@pytest.mark.parametrize(
    "lines",
    [b'{"type":1,"name":"\xff","size":1}', b'{"type":2,"payload":"\xff"}', b'{"type":"1"}', b"[]"],
)
def test_what_no_engine_writes_is_said_to_be_damaged(lines: bytes) -> None:
    with pytest.raises(ContentMismatch, match=r"\(tar-split\) is damaged: "):
        list(parse_pieces([lines]))


def test_a_line_without_end_is_not_gathered_for_ever() -> None:
    chunk = bytes(1 << 20)
    with pytest.raises(ContentMismatch, match="does not end"):
        list(parse_pieces(chunk for _ in range(1000)))


def _line(piece: Piece) -> bytes:
    """As ``encoding/json`` writes tar-split's entries."""
    raw, name, size = piece
    if raw:
        entry: dict[str, object] = {"type": 2, "payload": _base64(raw)}
    else:
        entry = {"type": 1, **_named(name), "size": size, "payload": _base64(bytes(8))}
    return json.dumps({**entry, "position": 0}, separators=(",", ":")).encode() + b"\n"


def _named(name: bytes) -> dict[str, object]:
    try:
        return {"name": name.decode()}
    except UnicodeDecodeError:
        return {"name_raw": _base64(name)}


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
