"""Layers that lie in a file, or in a part of one."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

from msgspec import Struct

from longshore.errors import ContentMismatch, NotFound
from longshore.image.flow import blocks_in_thread
from longshore.image.layer import BLOCK, Block, Blocks, ImageParts, LayerSource
from longshore.image.unpacking import Unpacker
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest
from longshore.oci.media_types import Compression


class FileLayer(Struct, frozen=True, kw_only=True):
    """A `LayerSource`: `length` bytes of a file from `offset` on.

    `gzipped`: they are a gzip of the tar, whose digest nobody vouches for; `open` unpacks it.
    """

    path: Path
    length: int
    origin: str
    offset: int = 0
    diff_id: Digest | None = None
    packed: Descriptor | None = None
    gzipped: bool = False

    @property
    def size(self) -> int | None:
        return None if self.gzipped else self.length

    def open(self) -> Blocks:
        return blocks_in_thread(lambda: _unpack(self) if self.gzipped else _read(self))


class Choice(Struct, frozen=True, kw_only=True):
    """Of an image for several platforms: the one that was `taken`, and those that were `left`."""

    taken: str
    left: tuple[str, ...]


class FileImage(Struct, frozen=True, kw_only=True):
    """A `StoredImage` that holds no file open between layers.

    `manifest` is the one the image came with, if any: pushed as it is, the digest stays the same.
    `choice` is None where there was none.
    """

    parts: ImageParts
    layers: tuple[LayerSource, ...]
    manifest: Manifest | None = None
    choice: Choice | None = None


def _read(layer: FileLayer) -> Generator[Block, None, None]:
    try:
        with layer.path.open("rb", buffering=0) as file:
            offset, end = layer.offset, layer.offset + layer.length
            while offset < end:
                block = os.pread(file.fileno(), min(BLOCK, end - offset), offset)
                if not block:
                    raise ContentMismatch(f"{layer.path} ends in the middle of a layer")
                yield block
                offset += len(block)
    except OSError as exc:
        raise NotFound(f"{layer.path} cannot be read: {exc.strerror}") from exc


def _unpack(layer: FileLayer) -> Generator[Block, None, None]:
    unpacker = Unpacker(Compression.GZIP, f"a layer in {layer.path}")
    for block in _read(layer):
        yield from unpacker.feed(block)
    unpacker.finish()
