"""An image into a repository: what is missing is packed and sent, then the manifest under its tags.

Nothing is visible before the manifest, and the manifest comes only after every blob is there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import anyio

from longshore.errors import RegistryError
from longshore.image.compression import CompressionOptions
from longshore.image.layer import ImageParts, LayerSource, StoredImage
from longshore.image.pipeline import CompressedLayer, compressed
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_manifest
from longshore.oci.media_types import Format, compression_of
from longshore.registry.blobs import BlobBytes
from longshore.registry.client import RegistryClient
from longshore.registry.uploads import Delivery

_AT_ONCE: Final = 4
"""Blobs on their way side by side: more only share the same cores and the same line."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """How to push; `mount_from` are repositories that may have the layers already."""

    compression: CompressionOptions = field(default_factory=CompressionOptions)
    format: Format | None = None
    """None: the image's own."""
    mount_from: tuple[str, ...] = ()
    verify: bool = False
    """Ask for every blob once more at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedImage:
    """What is in the registry now. `deliveries` of the layers from the base up; none were made
    when the manifest was there already."""

    manifest: Manifest
    tags: tuple[str, ...]
    deliveries: tuple[Delivery, ...] = ()

    @property
    def sent(self) -> tuple[Delivery, ...]:
        """The layers whose bytes were sent."""
        return tuple(one for one in self.deliveries if one.route == "sent")


class LayerBlob:
    """A layer as the blob that is sent: packed while it is read (a `BlobSource`)."""

    def __init__(self, layer: LayerSource, options: CompressionOptions) -> None:
        self._layer = layer
        self._options = options

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CompressedLayer]:
        """See `BlobSource`."""
        async with compressed(self._layer, self._options) as stream:
            yield stream


async def push(
    client: RegistryClient,
    repository: str,
    tags: Sequence[str],
    image: StoredImage,
    options: PushOptions,
) -> PushedImage:
    """Have `image` in `repository` under every one of `tags` (at least one).

    When the first tag is this image already, no layer is read. Raises what `RegistryClient` and
    the layers raise; then no tag was changed, unless it was the last step that failed.
    """
    client.will_push(repository)
    if (there := await _same_image(client, repository, tags[0], image.parts, options)) is not None:
        await _tag(client, repository, tags[1:], there)
        return PushedImage(manifest=there, tags=tuple(tags))
    deliveries = await _layers(client, repository, image, options)
    manifest = await _manifest(client, repository, image, options, deliveries)
    if options.verify:
        await _verify(client, repository, manifest)
    await _tag(client, repository, tags, manifest)
    return PushedImage(manifest=manifest, tags=tuple(tags), deliveries=deliveries)


async def _same_image(
    client: RegistryClient, repository: str, tag: str, parts: ImageParts, options: PushOptions
) -> Manifest | None:
    """The manifest under `tag` when it is of this very image, in the wanted format.

    The configuration's digest is the image's identity: it names every layer by diff ID.
    """
    if await client.head_manifest(repository, tag) is None:
        return None
    there = await client.get_manifest(repository, tag)
    wanted = (options.format or parts.format).manifest_type
    if not isinstance(there, Manifest) or there.media_type != wanted:
        return None
    return there if there.config.digest == parts.config_digest else None


async def _layers(
    client: RegistryClient, repository: str, image: StoredImage, options: PushOptions
) -> tuple[Delivery, ...]:
    """Every distinct layer once; an image may hold the same layer (an empty one) twice."""
    diff_ids = image.parts.diff_ids
    distinct = dict(zip(diff_ids, image.layers, strict=True))

    async def deliver(diff_id: Digest) -> Delivery:
        layer = distinct[diff_id]
        known = layer.packed.digest if layer.packed else None
        place = diff_ids.index(diff_id) + 1
        return await client.upload_blob(
            repository,
            LayerBlob(layer, options.compression),
            digest=known,
            mount_from=options.mount_from if known else (),
            name=f"layer {place} of {len(diff_ids)}",
        )

    # The largest first: the last one alone on the line is the time that is lost.
    order = sorted(distinct, key=lambda diff_id: -(distinct[diff_id].size or 0))
    done = dict(zip(order, await _side_by_side(deliver, order), strict=True))
    return tuple(done[diff_id] for diff_id in diff_ids)


async def _manifest(
    client: RegistryClient,
    repository: str,
    image: StoredImage,
    options: PushOptions,
    deliveries: Sequence[Delivery],
) -> Manifest:
    """Send the configuration; returns the manifest, which is not sent."""
    parts = image.parts
    fmt = options.format or parts.format
    await client.upload_blob(
        repository, BlobBytes(parts.config), digest=parts.config_digest, name="the configuration"
    )
    config = Descriptor(
        media_type=fmt.config_type, digest=parts.config_digest, size=len(parts.config)
    )
    layers = [
        _descriptor(layer, delivery, fmt, options)
        for layer, delivery in zip(image.layers, deliveries, strict=True)
    ]
    return image_manifest(config, layers, fmt=fmt)


def _descriptor(
    layer: LayerSource, delivery: Delivery, fmt: Format, options: PushOptions
) -> Descriptor:
    packed = layer.packed
    compression = compression_of(packed.media_type) if packed else options.compression.compression
    return Descriptor(
        media_type=fmt.layer_type(compression),
        digest=delivery.digest,
        size=packed.size if packed else delivery.size,
    )


async def _verify(client: RegistryClient, repository: str, manifest: Manifest) -> None:
    async def check(blob: Descriptor) -> None:
        if not await client.blob_exists(repository, blob.digest):
            raise RegistryError(
                f"{client.host} has lost blob {blob.digest} of {repository} after the upload",
                hint="push again; if it happens again its storage is broken",
                registry=client.host,
                repository=repository,
            )

    await _side_by_side(check, manifest.blobs)


async def _tag(
    client: RegistryClient, repository: str, tags: Sequence[str], manifest: Manifest
) -> None:
    async def put(tag: str) -> Digest:
        return await client.put_manifest(repository, tag, manifest)

    await _side_by_side(put, tags)


async def _side_by_side(
    work: Callable[[Item], Awaitable[Result]], items: Sequence[Item]
) -> list[Result]:
    """The results in the order of `items`; the first failure stops the others and is raised."""
    results: dict[int, Result] = {}
    failures: list[Exception] = []
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def one(place: int, item: Item) -> None:
        async with limiter:
            try:
                results[place] = await work(item)
            except Exception as error:  # noqa: BLE001  # raised below, out of the group's wrapper
                failures.append(error)
                tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for place, item in enumerate(items):
            tasks.start_soon(one, place, item)
    if failures:
        raise failures[0]
    return [results[place] for place in range(len(items))]
