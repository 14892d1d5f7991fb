"""The engine's store, driver overlay2, where only the engine may read it: as archives of its parts.

What lies where is said in `longshore.image.overlay2`. What the store says of the image comes first,
in one archive; for each layer that is wanted its directory is fetched, and the layer is put
together as that arrives.
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
from longshore.image.layer import Block, Blocks, ImageParts
from longshore.image.overlay2 import cache_id_of, chain_ids, parts_of
from longshore.image.tar_stream import TarStream
from longshore.image.tarsplit import read_pieces
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest

CONFIG: Final = "config"
ENTRIES: Final = "layers"
"""After the configuration in the alphabet, by which engines walk: it has to be kept."""

_RECORD: Final = "tar-split.json.gz"

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
        of each layer, under the hex digits of its chain ID. `path`: a part of it; "" for all."""
        ...

    def layers(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A file or directory below those of all layers (``overlay2``)."""
        ...

    async def close(self) -> None:
        """Nothing can be opened any more."""
        ...


class ArchivedLayer(Struct, frozen=True, kw_only=True):
    """A `LayerSource` that raises NotFound when it cannot be put together, besides the rest.

    `entry` are the files of its entry, as far as they were kept.
    """

    diff_id: Digest
    chain_id: Digest
    size: int | None
    entry: Mapping[str, bytes]
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
        directory, record = self._directory(entry), entry[_RECORD]

        def fetch(name: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
            return self.store.layers(f"{directory}/{name}")

        async with self.store.layers(directory) as chunks:
            files = ArrivingFiles(chunks, fetch)
            async with aclosing(assembled(read_pieces(io.BytesIO(record)), files)) as blocks:
                yield blocks

    async def _entry(self) -> Mapping[str, bytes]:
        """All of it: a record that was too large to be kept is fetched again."""
        entry = self.entry
        if _RECORD not in entry:
            async with self.store.about(f"{ENTRIES}/{self.chain_id.hex}") as chunks:
                entry = await _files(chunks, _LARGEST_RECORD)
        for name in ("cache-id", "diff", _RECORD):
            if name not in entry:
                raise NotFound(f"the engine's store gives no {name} of layer {self.diff_id}")
        return entry

    def _directory(self, entry: Mapping[str, bytes]) -> str:
        try:
            names = (entry["cache-id"].decode(), entry["diff"].decode())
            return f"{cache_id_of(*names, self.diff_id)}/diff"
        except (InvalidValue, UnicodeDecodeError) as exc:
            raise NotFound(f"the engine's store is not as expected: {exc}") from exc


class ArchivedImage(Struct, frozen=True, kw_only=True):
    """A `StoredImage` that ends its `store` when it is closed."""

    parts: ImageParts
    layers: tuple[ArchivedLayer, ...]
    store: StoreArchive

    async def close(self) -> None:
        """See `StoredImage`."""
        await self.store.close()


async def open_archived(
    store: StoreArchive, image_id: Digest, sizes: dict[Digest, int]
) -> ArchivedImage:
    """The image of that id; `sizes` are estimates of its layers' bytes, by diff ID.

    Raises NotFound when the store does not have it; the store is left open then.
    """
    async with store.about("") as chunks:
        known = await _files(chunks, _KEPT)
    try:
        parts = parts_of(known.get(CONFIG, b""), image_id)
    except (ContentMismatch, InvalidValue) as exc:
        raise NotFound(f"the engine's store is not as expected: {exc.message}") from exc
    layers = tuple(
        ArchivedLayer(
            diff_id=diff_id,
            chain_id=chain,
            size=sizes.get(diff_id),
            entry=_below(known, f"{ENTRIES}/{chain.hex}"),
            store=store,
        )
        for chain, diff_id in zip(chain_ids(parts.diff_ids), parts.diff_ids, strict=True)
    )
    return ArchivedImage(parts=parts, layers=layers, store=store)


def _below(files: Mapping[str, bytes], directory: str) -> dict[str, bytes]:
    return {
        name.removeprefix(f"{directory}/"): content
        for name, content in files.items()
        if name.startswith(f"{directory}/")
    }


async def _files(chunks: AsyncIterator[bytes], room: int) -> dict[str, bytes]:
    """The files of an archive by their names in its directory, those that still fit into `room`."""
    found: dict[str, bytes] = {}
    stream = TarStream(chunks)
    try:
        while member := await stream.next():
            if member.regular and member.size <= room:
                found[member.name.partition("/")[2]] = await stream.document(room)
                room -= member.size
    except (ContentMismatch, InvalidValue) as exc:
        raise NotFound(f"the engine's store is not as expected: {exc.message}") from exc
    async for _ in chunks:
        pass
    return found
