"""Putting a layer's tar together again from its record and files that arrive in some order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from longshore.image.arriving import ArrivingFiles
from longshore.image.layer import BLOCK, Block
from longshore.image.names import plain
from longshore.image.tarsplit import Piece


async def assembled(pieces: Iterable[Piece], files: ArrivingFiles) -> AsyncGenerator[Block, None]:
    """The bytes of the tar; raises what `pieces` and `files` raise.

    Small files are joined to blocks; large ones pass as they come. That the content is right, only
    the digest of the whole can tell.
    """
    joined: list[Block] = []
    length = 0
    for raw, name, size in pieces:
        if not name:
            joined.append(raw)
            length += len(raw)
        elif (content := files.ready(plain(name), size)) is not None:
            joined.append(content)
            length += size
        else:
            if length:
                yield b"".join(joined)
                joined, length = [], 0
            async with aclosing(files.content(plain(name), size)) as arriving:
                async for piece in arriving:
                    yield piece
        if length >= BLOCK:
            yield b"".join(joined)
            joined, length = [], 0
    if length:
        yield b"".join(joined)
    await files.finish()
