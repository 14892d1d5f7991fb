"""Streams between threads and the event loop, and the cutting of streams into segments."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import aclosing, asynccontextmanager

from anyio import to_thread

from longshore.image.layer import Block, Blocks


def blocks_in_thread(start: Callable[[], Generator[Block, None, None]]) -> Blocks:
    """The blocks of a blocking generator, each made in a worker thread when it is asked for.

    The generator is closed when the stream is left.
    """
    return _blocks_in_thread(start)


@asynccontextmanager
async def _blocks_in_thread(
    start: Callable[[], Generator[Block, None, None]],
) -> AsyncIterator[AsyncIterator[Block]]:
    generator = start()
    try:
        async with aclosing(_pull(generator)) as blocks:
            yield blocks
    finally:
        # Nothing runs in a thread now: a cancelled `next` is waited for before we come here.
        generator.close()


async def _pull(generator: Generator[Block, None, None]) -> AsyncGenerator[Block, None]:
    while (block := await to_thread.run_sync(next, generator, None)) is not None:
        yield block


class Cutter:
    """Cuts blocks of any length into segments of one length; only the last may be shorter."""

    __slots__ = ("_filled", "_length", "_pieces")

    def __init__(self, length: int) -> None:
        self._length = length
        self._pieces: list[Block] = []
        self._filled = 0

    def feed(self, block: Block) -> list[Block]:
        """The segments that `block` completes; one of the right length passes uncopied."""
        if not self._filled and len(block) == self._length:
            return [block]
        segments: list[Block] = []
        rest = memoryview(block)
        while self._filled + len(rest) >= self._length:
            missing = self._length - self._filled
            segments.append(self._joined(rest[:missing]))
            rest = rest[missing:]
        if rest:
            self._pieces.append(rest)
            self._filled += len(rest)
        return segments

    def rest(self) -> list[Block]:
        """The last segment, if there is one."""
        return [self._joined(memoryview(b""))] if self._filled else []

    def _joined(self, last: memoryview) -> Block:
        pieces, self._pieces, self._filled = self._pieces, [], 0
        return b"".join((*pieces, last)) if pieces else last
