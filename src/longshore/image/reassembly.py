"""Putting a layer's tar together again from its record and its directory; blocking."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from io import FileIO
from typing import TypeAlias

from longshore.errors import NotFound
from longshore.image.layer import BLOCK
from longshore.image.tarsplit import Piece, read_pieces
from longshore.image.tree import LayerTree, too_short, unreadable

Fresh: TypeAlias = Callable[[], memoryview]
"""Gives the next BLOCK bytes of memory to fill."""

StrPath: TypeAlias = str | os.PathLike[str]
"""As the packing process gets it: it starts for every large layer, and without pathlib sooner."""


def fresh_memory() -> memoryview:
    """A new buffer each time."""
    return memoryview(bytearray(BLOCK))


def reassemble(
    record: StrPath, directory: StrPath, fresh: Fresh = fresh_memory
) -> Generator[memoryview, None, None]:
    """The tar of the layer whose ``tar-split.json.gz`` and directory these are.

    Files are read straight into the buffers of `fresh`, which are given back in turn, filled to
    their end (the last one to its used part). Raises ContentMismatch when the store is damaged,
    NotFound when it is gone or not for this user. That the content is right, only the digest of
    the whole can tell.
    """
    try:
        with FileIO(record) as file, LayerTree(directory) as tree:
            yield from fill(read_pieces(file), tree, fresh)
    except OSError as exc:
        raise NotFound(f"the engine's store cannot be read: {exc}") from exc


def fill(
    pieces: Iterable[Piece], tree: LayerTree, fresh: Fresh
) -> Generator[memoryview, None, None]:
    """The bytes of `pieces` in the buffers of `fresh`."""
    target, at = fresh(), 0
    for raw, name, size in pieces:
        if name:
            descriptor = tree.open(name)
            try:
                while size:
                    # A slice ends where the buffer ends.
                    count = os.readv(descriptor, [target[at : at + size]])
                    if not count:
                        raise too_short(name)
                    size -= count
                    at += count
                    if at == BLOCK:
                        yield target
                        target, at = fresh(), 0
            except OSError as exc:
                raise unreadable(name, exc) from exc
            finally:
                os.close(descriptor)
            continue
        while at + len(raw) >= BLOCK:
            room = BLOCK - at
            target[at:] = raw[:room]
            yield target
            raw, target, at = raw[room:], fresh(), 0
        target[at : at + len(raw)] = raw
        at += len(raw)
    if at:
        yield target[:at]
