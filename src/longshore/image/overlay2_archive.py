"""The engine's store, driver overlay2, where only the engine may read it: as archives of its parts.

What lies where is said in `longshore.image.overlay2`. For each layer that is wanted its entry is
fetched, then its directory; the layer is put together as the directory arrives.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import AsyncIterator
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

_LARGEST_CONFIG: Final = 16 << 20
_LARGEST_RECORD: Final = 64 << 20
"""Of a layer with millions of files; it is held in memory, gzipped as it is."""


class StoreArchive(Protocol):
    """Opens parts of the store as tar streams.

    Paths are below the driver's metadata (``image/overlay2``) and below its layers
    (``overlay2``). Leaving the block closes the stream. Raises NotFound, in words that explain,
    when a part is not there or the engine does not give it.
    """

    def metadata(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A file or directory."""
        ...

    def layers(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A file or directory."""
        ...

    async def close(self) -> None:
        """Nothing can be opened any more."""
        ...


class ArchivedLayer(Struct, frozen=True, kw_only=True):
    """A `LayerSource` that raises NotFound when it cannot be put together, besides the rest."""

    diff_id: Digest
    chain_id: Digest
    size: int | None
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
        directory, record = await self._entry()

        def fetch(name: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
            return self.store.layers(f"{directory}/{name}")

        async with self.store.layers(directory) as chunks:
            files = ArrivingFiles(chunks, fetch)
            async with aclosing(assembled(read_pieces(io.BytesIO(record)), files)) as blocks:
                yield blocks

    async def _entry(self) -> tuple[str, bytes]:
        """The layer's directory, and the record of its tar."""
        async with self.store.metadata(f"layerdb/sha256/{self.chain_id.hex}") as chunks:
            entry = await _files(chunks, _LARGEST_RECORD)
        try:
            names = (entry["cache-id"].decode(), entry["diff"].decode())
            return f"{cache_id_of(*names, self.diff_id)}/diff", entry["tar-split.json.gz"]
        except KeyError as exc:
            raise NotFound(f"the engine's store has no {exc} of layer {self.diff_id}") from exc
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
    async with store.metadata(f"imagedb/content/sha256/{image_id.hex}") as chunks:
        files = await _files(chunks, _LARGEST_CONFIG)
    try:
        parts = parts_of(files.get(image_id.hex, b""), image_id)
    except (ContentMismatch, InvalidValue) as exc:
        raise NotFound(f"the engine's store is not as expected: {exc.message}") from exc
    layers = tuple(
        ArchivedLayer(diff_id=diff_id, chain_id=chain, size=sizes.get(diff_id), store=store)
        for chain, diff_id in zip(chain_ids(parts.diff_ids), parts.diff_ids, strict=True)
    )
    return ArchivedImage(parts=parts, layers=layers, store=store)


async def _files(chunks: AsyncIterator[bytes], limit: int) -> dict[str, bytes]:
    """The files of a small archive by their last names."""
    found: dict[str, bytes] = {}
    stream = TarStream(chunks)
    try:
        while member := await stream.next():
            if member.regular:
                found[posixpath.basename(member.name)] = await stream.document(limit)
    except (ContentMismatch, InvalidValue) as exc:
        raise NotFound(f"the engine's store is not as expected: {exc.message}") from exc
    async for _ in chunks:
        pass
    return found
