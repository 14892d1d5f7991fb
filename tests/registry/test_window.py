"""The bytes kept for sending again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from longshore.registry.window import Window

PIECES = st.lists(st.binary(min_size=1, max_size=20), max_size=20)


@given(PIECES, st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_pieces_are_the_blob_between_offset_and_length(
    pieces: list[bytes], dropped: int, offset: int, length: int
) -> None:
    blob = b"".join(pieces)
    window = Window()
    for piece in pieces:
        window.append(piece)
    window.drop_before(min(dropped, len(blob)))
    assert window.end == len(blob)
    assert window.start <= dropped
    if window.holds(offset):
        assert b"".join(window.pieces(offset, length)) == blob[offset : offset + length]
    else:
        assert offset < window.start or offset > len(blob)


@given(PIECES, st.integers(1, 60))
def test_keep_holds_at_least_the_capacity_and_at_most_a_piece_more(
    pieces: list[bytes], capacity: int
) -> None:
    window = Window()
    for piece in pieces:
        window.append(piece)
        window.keep(capacity)
        held = window.end - window.start
        assert held >= min(capacity, window.end)
        assert held < capacity + 20


def test_whole_pieces_are_handed_out_without_a_copy() -> None:
    window = Window()
    piece = b"abc"
    window.append(piece)
    assert window.pieces(0, 3)[0] is piece
    assert bytes(window.pieces(1, 1)[0]) == b"b"
