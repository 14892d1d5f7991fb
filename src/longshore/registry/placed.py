"""Layers in the repositories of a registry, and the blobs that hold them, as values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from longshore.image.compression import CompressionOptions
from longshore.image.layer import ImageParts, LayerSource
from longshore.image.repacked import Repacked
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression, compression_of
from longshore.registry.uploads import Delivery

if TYPE_CHECKING:
    from longshore.image.compressed import CompressedLayer


class Candidate(Struct, frozen=True, kw_only=True):
    """A blob that would hold a layer. `size` None: the registry's word is taken; `compression`
    None: its first bytes tell."""

    digest: Digest
    size: int | None = None
    compression: Compression | None = Compression.GZIP
    repositories: tuple[str, ...] = ()


Candidates = Mapping[Digest, tuple[Candidate, ...]]
"""By diff ID."""


class Placed(Struct, frozen=True, kw_only=True):
    """A layer that is in `repository` now; `size` is that of its blob, in bytes.

    `content` is the diff ID of what was read for it; None where nothing was. `foreign` is how the
    image describes a layer that is not for distribution; None of all others.
    """

    repository: str
    delivery: Delivery
    size: int
    compression: Compression
    content: Digest | None = None
    foreign: Descriptor | None = None

    @classmethod
    def elsewhere(cls, repository: str, layer: Descriptor) -> Placed:
        """A layer that is not to be sent (`Descriptor.is_elsewhere`)."""
        return cls(
            repository=repository,
            delivery=Delivery(digest=layer.digest, size=layer.size, route="exists"),
            size=layer.size,
            compression=compression_of(layer.media_type),
        )


class Passed(Struct, frozen=True, kw_only=True):
    """An image that has streamed by, and where its layers are; they may be in several places."""

    parts: ImageParts
    layers: tuple[Placed, ...]


class LayerBlob:
    """A layer as the blob that is sent: packed while it is read (a `BlobSource`)."""

    def __init__(self, layer: LayerSource, options: CompressionOptions) -> None:
        self._layer = layer
        self._options = options
        self._stream: CompressedLayer | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CompressedLayer]:
        """See `BlobSource`."""
        from longshore.image.pipeline import compressed  # most pushes send no layer

        async with compressed(self._layer, self._options) as stream:
            self._stream = stream
            yield stream

    @property
    def content(self) -> Digest | None:
        """The diff ID of what was in it; None when it was not read. Only after it was sent."""
        return self._stream.diff_id if self._stream else None


def key_of(layer: LayerSource) -> Digest:
    """What tells a layer from others: the digest of its packed blob, else its diff ID.

    Of a packed blob only its image says which diff ID it has.
    """
    if isinstance(layer, Repacked):
        return layer.diff_id or layer.blob.digest
    key = layer.packed.digest if layer.packed else layer.diff_id
    if key is None:
        raise ValueError("a layer without diff ID that is not packed cannot be placed")
    return key
