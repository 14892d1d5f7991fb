"""Putting a layer's tar together again from its record and its directory; blocking."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Final

from longshore.errors import NotFound
from longshore.image.layer import BLOCK, Block
from longshore.image.tarsplit import Piece, read_pieces
from longshore.image.tree import LayerTree

_READ_AT_ONCE: Final = BLOCK // 4


def reassemble(record: Path, directory: Path) -> Generator[Block, None, None]:
    """The tar of the layer whose ``tar-split.json.gz`` and directory these are.

    Raises ContentMismatch when the store is damaged, NotFound when it is gone. That the content is
    right, only the digest of the whole can tell.
    """
    try:
        with LayerTree(directory) as tree:
            yield from join(read_pieces(record), tree)
    except OSError as exc:
        raise NotFound(f"the engine's store cannot be read: {exc}") from exc


def join(pieces: Iterable[Piece], tree: LayerTree) -> Generator[Block, None, None]:
    """Blocks of exactly BLOCK bytes (the last is shorter); the inside of long files uncopied."""
    parts: list[Block] = []
    room = BLOCK
    for raw, name, size in pieces:
        if not name:
            data: Iterable[bytes] = (raw,)
        elif size <= _READ_AT_ONCE:
            data = (tree.read(name, size),)
        else:
            data = tree.pieces(name, size, room)
        for block in data:
            if len(block) < room:
                parts.append(block)
                room -= len(block)
            else:
                ready, parts = _fill(parts, block, room)
                yield from ready
                room = BLOCK - sum(map(len, parts))
    if parts:
        yield b"".join(parts)


def _fill(parts: list[Block], block: bytes, room: int) -> tuple[list[Block], list[Block]]:
    """The blocks that `block` completes, and what remains of it."""
    if len(block) == BLOCK == room:
        return [block], []
    rest = memoryview(block)
    ready: list[Block] = [b"".join((*parts, rest[:room]))]
    rest = rest[room:]
    while len(rest) >= BLOCK:
        ready.append(rest[:BLOCK])
        rest = rest[BLOCK:]
    return ready, [rest] if rest else []
