"""A blob in memory that comes in pieces, as layers do (`longshore.registry.blobs.BlobSource`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from longshore.oci.digest import Digest
from longshore.registry.transport.exchange import Buffer


class BlobInPieces:
    """Bytes in pieces of at most `piece`; a wrong `digest` makes it a damaged one.

    `opened` counts.
    """

    def __init__(
        self, content: bytes, piece: int = 1 << 18, *, digest: Digest | None = None
    ) -> None:
        self.content = content
        self.piece = piece
        self.digest = digest or Digest.of(content)
        self.size = len(content)
        self.opened = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[BlobInPieces]:
        """See `BlobSource`; as in the pipeline of images a task group is open meanwhile."""
        self.opened += 1
        async with anyio.create_task_group():
            yield self

    async def __aiter__(self) -> AsyncIterator[Buffer]:
        for begin in range(0, len(self.content), self.piece):
            yield self.content[begin : begin + self.piece]
