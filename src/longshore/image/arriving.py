"""The files of a directory as an engine's archive of it brings them, given out by name.

The archive comes in the order in which the engine walks the directory. The tar of a layer that an
engine made has the same order; that of another maker may have any. So files that come before they
are wanted are kept, up to a limit; what is too large for that is let go by, and fetched again by
itself when it is wanted. Beyond those limits we give up instead of writing to a disk: the engine's
export, which then takes over, does not write more.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from types import MappingProxyType
from typing import Final, TypeAlias

from longshore.errors import NotFound
from longshore.image.file_stream import FileStream
from longshore.image.names import shown

Fetch: TypeAlias = Callable[[str], AbstractAsyncContextManager[AsyncIterator[bytes]]]
"""Opens the archive of one file below the directory."""

KEPT: Final = 32 << 20
"""Bytes of files that are kept until they are wanted."""

LARGE: Final = 4 << 20
"""A file above this is rather fetched again, which takes no longer than so many bytes."""

MOST_FETCHES: Final = 100
"""Files of a layer that are fetched by themselves; each takes a tenth of a second."""


class ArrivingFiles:
    """One pass over the archive of a directory. NotFound for whatever cannot be had.

    `kept`: files that have come before.
    """

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        fetch: Fetch,
        kept: Mapping[bytes, bytes] = MappingProxyType({}),
    ) -> None:
        self._stream = FileStream(chunks)
        self._fetch = fetch
        self._kept = dict(kept)
        self._room = KEPT
        self._let_by: set[bytes] = set()
        self._fetches = 0
        self.ready = self._stream.whole
        """The content of the next file if that is what is asked for and is here as a whole."""
        self.finish = self._stream.finish

    async def content(self, name: bytes, size: int) -> AsyncGenerator[memoryview, None]:
        """The content of a file of that size, whatever it takes."""
        if await self._reach(name):
            pieces = _content(self._stream, name, size)
        else:
            pieces = self._past(self._stream.links.get(name, name), size)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def _reach(self, name: bytes) -> bool:
        """Go on to that file; false when it has gone by, or comes under this name as a link."""
        stream = self._stream
        while not self._has_gone(name) and await stream.next():
            if stream.name == name:
                return True
            await self._put_aside()
        return False

    def _has_gone(self, name: bytes) -> bool:
        return name in self._kept or name in self._let_by or name in self._stream.links

    async def _put_aside(self) -> None:
        stream = self._stream
        name, size = stream.name, stream.left
        assert name is not None
        if size > min(LARGE, self._room):
            self._let_by.add(name)
            async for _ in stream.rest():
                pass
            return
        self._room -= size
        self._kept[name] = b"".join([piece async for piece in _content(stream, name, size)])

    async def _past(self, name: bytes, size: int) -> AsyncGenerator[memoryview, None]:
        kept = self._kept.pop(name, None)
        if kept is None:
            async with self._fetched(name) as chunks:
                stream = FileStream(chunks)
                await stream.next()
                async for piece in _content(stream, name, size):
                    yield piece
                await stream.finish()
            return
        self._room += len(kept)
        _check(name, len(kept), size)
        yield memoryview(kept)

    def _fetched(self, name: bytes) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        self._fetches += 1
        if self._fetches > MOST_FETCHES:
            raise NotFound("its files come in another order than in the layer")
        try:
            return self._fetch(name.decode())
        except UnicodeDecodeError as exc:
            raise NotFound(f'the engine cannot be asked for a file "{shown(name)}"') from exc


async def _content(stream: FileStream, name: bytes, size: int) -> AsyncGenerator[memoryview, None]:
    """The stream's current file, which is to have that size."""
    _check(name, stream.left, size)
    async for piece in stream.rest():
        yield piece


def _check(name: bytes, there: int, wanted: int) -> None:
    if there != wanted:
        raise NotFound(f'file "{shown(name)}" has {there} bytes there, and {wanted} in the image')
