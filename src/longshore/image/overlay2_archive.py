"""The engine's store, driver overlay2, where only the engine may read it: as archives of its parts.

What lies where is said in `longshore.image.overlay2`. What the store says of the image comes first,
in one archive, which may bring the files of small layers as well; for each other layer that is
wanted its directory is fetched, and the layer is put together as that arrives.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Final, Protocol

from msgspec import Struct

from longshore.errors import ContentMismatch, InvalidValue, NotFound
from longshore.image.arriving import ArrivingFiles
from longshore.image.assembly import assembled
from longshore.image.config import parts_of
from longshore.image.file_stream import FileStream
from longshore.image.layer import Block, Blocks, ImageParts
from longshore.image.overlay2 import chain_ids
from longshore.image.recorded import directory_name
from longshore.image.tarsplit import read_pieces
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest

CONFIG: Final = "config"
ENTRIES: Final = "layers"
"""After the configuration in the alphabet, by which engines walk: it has to be kept."""

SMALL: Final = "small"
"""After the entries: what they say counts more when there is not room for all."""

_RECORD: Final = b"tar-split.json.gz"

_KEPT: Final = 16 << 20
"""Of what the store says of an image, the bytes that are held in memory while it is pushed."""

_LARGEST_RECORD: Final = 64 << 20
"""Of a layer with millions of files; it is held in memory, gzipped as it is."""


class StoreArchive(Protocol):
    """Opens parts of the store as tar streams of a directory, its name first in all names.

    Leaving the block closes the stream. Raises NotFound, in words that explain, when a part is not
    there or the engine does not give it.
    """

    def about(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """What the store says of the image: the configuration (`CONFIG`), and below `ENTRIES` that
        of each layer, under the hex digits of its chain ID. Below `SMALL` are the files of some
        layers, under the names of their directories. `path`: a part of it; "" for all."""
        ...

    def layers(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A file or directory below those of all layers (``overlay2``)."""
        ...


class ArchivedLayer(Struct, frozen=True, kw_only=True):
    """A `LayerSource` that raises NotFound when it cannot be put together, besides the rest.

    `entry` are the files of its entry, `small` those of small layers; empty where they were not
    kept.
    """

    diff_id: Digest
    chain_id: Digest
    size: int | None
    entry: Mapping[bytes, bytes]
    small: Mapping[bytes, bytes]
    store: StoreArchive

    @property
    def origin(self) -> str:
        return "overlay2 through the engine"

    @property
    def packed(self) -> Descriptor | None:
        return None

    def open(self) -> Blocks:
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[AsyncIterator[Block]]:
        entry = await self._entry()
        async with self._files(self._cache_id(entry)) as files:
            pieces = read_pieces(io.BytesIO(entry[_RECORD]))
            async with aclosing(assembled(pieces, files)) as blocks:
                yield blocks

    @asynccontextmanager
    async def _files(self, cache_id: str) -> AsyncIterator[ArrivingFiles]:
        directory = f"{cache_id}/diff"

        def fetch(name: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
            return self.store.layers(f"{directory}/{name}")

        if kept := _below(self.small, cache_id):
            yield ArrivingFiles(_nothing(), fetch, kept)
            return
        async with self.store.layers(directory) as chunks:
            yield ArrivingFiles(chunks, fetch)

    async def _entry(self) -> Mapping[bytes, bytes]:
        """All of it: a record that was too large to be kept is fetched again."""
        entry = self.entry
        if _RECORD not in entry:
            async with self.store.about(f"{ENTRIES}/{self.chain_id.hex}") as chunks:
                entry = await _files(chunks, _LARGEST_RECORD)
        for name in (b"cache-id", b"diff", _RECORD):
            if name not in entry:
                raise NotFound(
                    f"the engine's store gives no {name.decode()} of layer {self.diff_id}"
                )
        return entry

    def _cache_id(self, entry: Mapping[bytes, bytes]) -> str:
        try:
            names = (entry[b"cache-id"].decode(), entry[b"diff"].decode())
            return directory_name(*names, self.diff_id)
        except (InvalidValue, UnicodeDecodeError) as exc:
            raise NotFound(f"the engine's store is not as expected: {exc}") from exc


class ArchivedImage(Struct, frozen=True, kw_only=True):
    """A `StoredImage` in a store that only the engine may read."""

    parts: ImageParts
    layers: tuple[ArchivedLayer, ...]


async def open_archived(
    store: StoreArchive, image_id: Digest, sizes: dict[Digest, int]
) -> ArchivedImage:
    """The image of that id; `sizes` are estimates of its layers' bytes, by diff ID.

    Raises NotFound when the store does not have it.
    """
    async with store.about("") as chunks:
        known = await _files(chunks, _KEPT)
    try:
        parts = parts_of(known.get(CONFIG.encode(), b""), image_id)
    except (ContentMismatch, InvalidValue) as exc:
        raise NotFound(f"the engine's store is not as expected: {exc.message}") from exc
    small = _below(known, SMALL)
    layers = tuple(
        ArchivedLayer(
            diff_id=diff_id,
            chain_id=chain,
            size=sizes.get(diff_id),
            entry=_below(known, f"{ENTRIES}/{chain.hex}"),
            small=small,
            store=store,
        )
        for chain, diff_id in zip(chain_ids(parts.diff_ids), parts.diff_ids, strict=True)
    )
    return ArchivedImage(parts=parts, layers=layers)


def _below(files: Mapping[bytes, bytes], directory: str) -> dict[bytes, bytes]:
    above = f"{directory}/".encode()
    return {
        name.removeprefix(above): content
        for name, content in files.items()
        if name.startswith(above)
    }


async def _files(chunks: AsyncIterator[bytes], room: int) -> dict[bytes, bytes]:
    """The files of an archive by their names in its directory, of those of its parts that still
    fit into `room` as a whole."""
    found: dict[bytes, bytes] = {}
    left_out: set[bytes] = set()
    stream = FileStream(chunks)
    while await stream.next():
        name, size = stream.name, stream.left
        assert name is not None
        if pieces := [piece async for piece in stream.rest() if size <= room]:
            found[name] = b"".join(pieces)
            room -= size
        else:
            left_out.add(_part(name))
    await stream.finish()
    found |= {name: found[first] for name, first in stream.links.items() if first in found}
    return {name: content for name, content in found.items() if _part(name) not in left_out}


def _part(name: bytes) -> bytes:
    """The entry or the small layer that a file belongs to: half of one is of no use."""
    return b"/".join(name.split(b"/", 2)[:2])


async def _nothing() -> AsyncIterator[bytes]:
    chunks: tuple[bytes, ...] = ()
    for chunk in chunks:
        yield chunk
