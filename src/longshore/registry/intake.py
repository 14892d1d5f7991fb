"""The reading side of an upload: a blob's source, and the window of what was read last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Self

from longshore.oci.digest import Digest
from longshore.registry.blobs import BlobSource, BlobStream
from longshore.registry.transport.exchange import Buffer
from longshore.registry.window import Window


class Intake:
    """Reads `source` piece by piece into `window`; use as an async context manager.

    Everything happens in the task that entered it, because sources may hold task groups open.
    `heard` is called with the number of bytes read so far after each piece.
    """

    def __init__(self, source: BlobSource, heard: Callable[[int], None]) -> None:
        self._source = source
        self._heard = heard
        self._opened = AsyncExitStack()
        self.window = Window()
        self.exhausted = False
        self._stream: BlobStream
        self._pieces: AsyncIterator[Buffer]

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        # What went wrong between us and the registry is none of the source's business: a task
        # group inside it would wrap the error.
        await self._opened.aclose()

    async def reopen(self) -> None:
        """Begin again at zero."""
        await self._opened.aclose()
        self.window = Window()
        self.exhausted = False
        await self._open()

    async def _open(self) -> None:
        self._stream = await self._opened.enter_async_context(self._source.open())
        self._pieces = aiter(self._stream)

    @property
    def digest(self) -> Digest:
        """Of the blob, once it is `exhausted`."""
        return self._stream.digest

    @property
    def size(self) -> int:
        """Of the blob, once it is `exhausted`."""
        return self._stream.size

    async def fill(self, end: int) -> None:
        """Read until the window reaches `end`, or the source its end."""
        while self.window.end < end and await self.next() is not None:
            pass

    async def next(self) -> Buffer | None:
        """The next piece, which the window keeps; None at the end."""
        piece = None if self.exhausted else await anext(self._pieces, None)
        if piece is None:
            self.exhausted = True
            return None
        self.window.append(piece)
        self._heard(self.window.end)
        return piece
