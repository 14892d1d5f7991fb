"""An engine's export of an image, layer by layer as it arrives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

from msgspec import Struct

from longshore.errors import InvalidValue
from longshore.image.archive import (
    LARGEST_DOCUMENT,
    MANIFEST,
    check_layers,
    choose_saved,
    legacy_ids,
    read_saved,
)
from longshore.image.config import read_config
from longshore.image.layer import Block, Blocks, ImageParts, LayerSource
from longshore.image.tar_stream import Member, TarStream
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression, Format, packing_of

_BLOBS: Final = "blobs/sha256/"
_USTAR: Final = slice(257, 262)
_MOST_DOCUMENTS: Final = 1000


class ArrivingLayer(Struct, frozen=True, kw_only=True):
    """A `LayerSource` that can be opened once, while it passes."""

    diff_id: Digest | None
    size: int | None
    packed: Descriptor | None
    stream: TarStream

    @property
    def origin(self) -> str:
        return "image export"

    def open(self) -> Blocks:
        return _passing(self.stream)


@asynccontextmanager
async def _passing(stream: TarStream) -> AsyncIterator[AsyncIterator[Block]]:
    async with aclosing(stream.content()) as blocks:
        yield blocks


class ExportedImage:
    """An image that flows by once: the bytes of its ``docker save``.

    `diff_ids` from the engine's inspect tell which layer is which before it is read; without
    them only engines from 25 on name their layers.
    """

    def __init__(self, chunks: AsyncIterator[bytes], *, diff_ids: Sequence[Digest] = ()) -> None:
        self._stream = TarStream(chunks)
        self._diff_ids = tuple(diff_ids)
        self._named = _by_name(self._diff_ids)
        self._documents: dict[str, bytes] = {}
        self._parts: ImageParts | None = None
        self._packed: dict[Digest, Digest] = {}

    async def arrivals(self) -> AsyncGenerator[LayerSource, None]:
        """The layers in the order of their arrival, each distinct layer once.

        A layer not opened (or left half-way) when the next one is asked for is skipped. Iterate
        to the end: only then `parts` is known.
        """
        while member := await self._stream.next():
            if member.regular and (layer := await self._layer(member)):
                yield layer
        self._finish()

    @property
    def parts(self) -> ImageParts:
        """Configuration and order; raises InvalidValue before the end, or if they never came."""
        if self._parts is None:
            raise InvalidValue("the image export is not at its end, or was none")
        return self._parts

    @property
    def diff_id_of_packed(self) -> Mapping[Digest, Digest]:
        """For layers that arrived packed: blob digest to diff ID; complete at the end."""
        return self._packed

    async def _layer(self, member: Member) -> ArrivingLayer | None:
        if member.name.startswith(_BLOBS):
            return await self._blob(member)
        if member.name.endswith(".tar"):
            return self._arriving(member, self._diff_id(member.name), None)
        if "/" not in member.name:
            await self._keep(member)
        return None

    def _diff_id(self, name: str) -> Digest | None:
        # Docker's topmost layer is the one whose name cannot be computed.
        return self._named.get(name) or (self._diff_ids[-1] if self._diff_ids else None)

    async def _blob(self, member: Member) -> ArrivingLayer | None:
        digest = Digest(member.name.removeprefix(_BLOBS))
        start = await self._stream.peek(_USTAR.stop)
        packing = packing_of(start)
        if packing is not Compression.NONE:
            return self._arriving(member, None, _descriptor(digest, member, packing))
        if start.startswith(b"{") and start[_USTAR] != b"ustar":
            await self._keep(member)
            return None
        return self._arriving(member, digest, None)

    def _arriving(
        self, member: Member, diff_id: Digest | None, packed: Descriptor | None
    ) -> ArrivingLayer:
        return ArrivingLayer(diff_id=diff_id, size=member.size, packed=packed, stream=self._stream)

    async def _keep(self, member: Member) -> None:
        if len(self._documents) >= _MOST_DOCUMENTS:
            raise InvalidValue("the image export has too many documents")
        self._documents[member.name] = await self._stream.document(LARGEST_DOCUMENT)

    def _finish(self) -> None:
        saved = choose_saved(read_saved(self._document(MANIFEST)), None)
        fmt = Format.OCI if saved.config.startswith(_BLOBS) else Format.DOCKER
        parts = read_config(self._document(saved.config), fmt)
        check_layers(parts, saved)
        for name, diff_id in zip(saved.layers, parts.diff_ids, strict=True):
            if name.startswith(_BLOBS):
                self._packed[Digest(name.removeprefix(_BLOBS))] = diff_id
        self._parts = parts

    def _document(self, name: str) -> bytes:
        try:
            return self._documents[name]
        except KeyError:
            raise incomplete(name) from None


def incomplete(missing: str) -> InvalidValue:
    """What to say of an export without a part of the image.

    An engine with containerd's store lacks the blobs of an image that it has pulled while it had
    the same layers packed otherwise (seen with 28.5).
    """
    return InvalidValue(
        f"the image export has no {missing}",
        hint="the engine has not given the whole image, it may lack a part of it: build it anew, "
        "remove it and pull it again, or have the engine push it with --pusher engine",
    )


def _by_name(diff_ids: Sequence[Digest]) -> Mapping[str, Digest]:
    """The layers by the names of their members: Docker's up to 24, and Podman's.

    Podman calls a layer by its diff ID (containers/image ``docker/internal/tarfile/writer.go``).
    """
    legacy = zip(legacy_ids(diff_ids), diff_ids, strict=False)
    docker = {f"{name}/layer.tar": diff_id for name, diff_id in legacy}
    return docker | {f"{diff_id.hex}.tar": diff_id for diff_id in diff_ids}


def _descriptor(digest: Digest, member: Member, compression: Compression) -> Descriptor:
    return Descriptor(
        media_type=Format.OCI.layer_type(compression), digest=digest, size=member.size
    )
