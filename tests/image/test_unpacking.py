"""Packed streams unpacked while they flow: all of it, in bounded pieces, however it arrives."""

from __future__ import annotations

import gzip
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import ContentMismatch
from longshore.image.compression import CompressionOptions, codec_for
from longshore.image.layer import BLOCK
from longshore.image.unpacking import Unpacker
from longshore.oci.media_types import Compression

PACKED = [Compression.GZIP, Compression.ZSTD]


def _pack(content: bytes, compression: Compression) -> bytes:
    """One gzip member, or one zstd frame."""
    if compression is Compression.GZIP:
        return gzip.compress(content)
    return bytes(codec_for(CompressionOptions(compression=compression)).pack(content))


def _unpacked(pieces: Iterable[bytes], compression: Compression) -> list[bytes]:
    unpacker = Unpacker(compression, "the layer")
    blocks = [bytes(block) for piece in pieces for block in unpacker.feed(piece)]
    unpacker.finish()
    return blocks


def _cut(content: bytes, length: int) -> list[bytes]:
    return [content[begin : begin + length] for begin in range(0, len(content), length)]


@pytest.mark.parametrize("piece", [64 << 10, 1000, 1])
@pytest.mark.parametrize("compression", PACKED)
def test_much_that_comes_of_few_bytes_comes_whole_and_in_bounded_blocks(
    compression: Compression, piece: int
) -> None:
    """What a piece unpacks to is many times as long as a block."""
    content = bytes(20 * BLOCK)
    blocks = _unpacked(_cut(_pack(content, compression), piece), compression)
    assert sum(map(len, blocks)) == len(content)
    assert max(map(len, blocks)) <= BLOCK
    assert not any(map(any, (blocks[0], blocks[-1])))


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
@pytest.mark.parametrize("compression", PACKED)
def test_a_stream_that_ends_where_a_block_does_ends_in_order(
    compression: Compression, size: int
) -> None:
    packed = _pack(bytes(size), compression)
    for cut in range(1, 20):
        blocks = _unpacked((packed[:-cut], packed[-cut:]), compression)
        assert sum(map(len, blocks)) == size


@given(
    parts=st.lists(st.binary(max_size=200), min_size=1, max_size=4),
    piece=st.integers(1, 300),
    compression=st.sampled_from([*PACKED, Compression.NONE]),
)
def test_streams_of_several_parts_are_unpacked_wherever_they_are_cut(
    parts: list[bytes], piece: int, compression: Compression
) -> None:
    bare = compression is Compression.NONE
    packed = b"".join(part if bare else _pack(part, compression) for part in parts)
    assert b"".join(_unpacked(_cut(packed, piece), compression)) == b"".join(parts)


@given(content=st.binary(max_size=200), compression=st.sampled_from(PACKED), data=st.data())
def test_a_stream_that_ends_too_early_is_told_as_such(
    content: bytes, compression: Compression, data: st.DataObject
) -> None:
    packed = _pack(content, compression)
    end = data.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(ContentMismatch, match=f"the layer is no {compression.value}: it ends too"):
        _unpacked([packed[:end]], compression)
