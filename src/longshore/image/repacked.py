"""Layers that came packed in one way and are to be sent packed in another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from anyio import to_thread
from msgspec import Struct

from longshore.image.layer import Block, Blocks, LayerSource
from longshore.image.unpacking import Unpacker
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest, Verifier
from longshore.oci.media_types import compression_of


class Repacked(Struct, frozen=True, kw_only=True):
    """A `LayerSource`: the tar in a packed layer. `open` raises ContentMismatch, at the latest at
    its end, when the blob is not the one that `blob` describes."""

    layer: LayerSource
    blob: Descriptor

    @property
    def diff_id(self) -> Digest | None:
        return self.layer.diff_id

    @property
    def size(self) -> int | None:
        return None

    @property
    def origin(self) -> str:
        return self.layer.origin

    @property
    def packed(self) -> Descriptor | None:
        return None

    def open(self) -> Blocks:
        return _unpacked(self)


@asynccontextmanager
async def _unpacked(repacked: Repacked) -> AsyncIterator[AsyncIterator[Block]]:
    async with repacked.layer.open() as blocks, aclosing(_tar(repacked, blocks)) as tar:
        yield tar


async def _tar(repacked: Repacked, blocks: AsyncIterator[Block]) -> AsyncGenerator[Block, None]:
    described = repacked.blob
    check = Verifier(described.digest, described.size)
    what = f"layer {described.digest}, read from the {repacked.origin},"
    unpacker = Unpacker(compression_of(described.media_type), what)
    async for block in blocks:
        await to_thread.run_sync(check.update, block)
        pieces = unpacker.feed(block)
        while (piece := await to_thread.run_sync(next, pieces, None)) is not None:
            yield piece
    unpacker.finish()
    check.finish()
