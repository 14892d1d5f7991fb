"""The last part of a push: configuration, manifest, tags, and the proof that they are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import anyio
from msgspec import Struct
from msgspec.structs import replace

from longshore.errors import ContentMismatch, RegistryError
from longshore.image.layer import ImageParts
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_manifest
from longshore.oci.media_types import Format
from longshore.registry.blobs import MAY_NOT_LOOK, BlobBytes
from longshore.registry.client import RegistryClient
from longshore.registry.placed import Placed
from longshore.registry.progress import CutOff
from longshore.registry.side_by_side import side_by_side
from longshore.registry.uploads import Delivery

_AT_ONCE: Final = 8
_LOOKS: Final = 6
"""With pauses of some seconds in all; copies of a registry lag behind each other."""


class PushedImage(Struct, frozen=True, kw_only=True):
    """What is in the registry now. `deliveries` of the layers from the base up; none were made
    when the manifest was there already."""

    manifest: Manifest
    tags: tuple[str, ...]
    deliveries: tuple[Delivery, ...] = ()

    @property
    def sent(self) -> tuple[Delivery, ...]:
        """The layers whose bytes were sent."""
        return tuple(one for one in self.deliveries if one.route == "sent")


OnTags = Callable[[PushedImage], None]
"""Hears of an image as soon as it has a tag, and one more, with all that it has by then."""


def unheard(_: PushedImage) -> None:
    """For whom the end alone matters."""


class Release(Struct, frozen=True, kw_only=True):
    """An image whose layers are in the repository; `manifest` is the one it came with, if any."""

    parts: ImageParts
    layers: tuple[Placed, ...]
    manifest: Manifest | None = None
    on_tags: OnTags = unheard


async def publish(
    client: RegistryClient,
    repository: str,
    tags: Sequence[str],
    release: Release,
    fmt: Format | None,
    verified: bool,
) -> PushedImage:
    """Send the manifest under every tag, once `send_config` is done; `fmt` None: the image's own.

    `verified`: every blob is asked for once more before. Raises as `put_tags` does.
    """
    manifest = release.manifest or manifest_of(release, fmt or release.parts.format)
    if verified:
        await verify(client, repository, manifest)
    deliveries = tuple(layer.delivery for layer in release.layers)
    image = PushedImage(manifest=manifest, tags=(), deliveries=deliveries)
    return await put_tags(client, repository, tags, image, release.on_tags)


async def send_config(client: RegistryClient, repository: str, parts: ImageParts) -> None:
    """Have the configuration in the repository."""
    await client.upload_blob(
        repository, BlobBytes(parts.config), digest=parts.config_digest, name="the configuration"
    )


def manifest_of(release: Release, fmt: Format) -> Manifest:
    """The manifest of an image with these layers."""
    parts = release.parts
    config = Descriptor(
        media_type=fmt.config_type, digest=parts.config_digest, size=len(parts.config)
    )
    layers = [_described(layer, fmt) for layer in release.layers]
    return image_manifest(config, layers, fmt=fmt)


def _described(layer: Placed, fmt: Format) -> Descriptor:
    if layer.foreign:
        kept = fmt.layer_type(layer.compression, foreign=True)
        return replace(layer.foreign, media_type=kept)
    return Descriptor(
        media_type=fmt.layer_type(layer.compression),
        digest=layer.delivery.digest,
        size=layer.size,
    )


async def verify(client: RegistryClient, repository: str, manifest: Manifest) -> None:
    """Ask for every blob; raises RegistryError naming one that is not there."""

    async def check(blob: Descriptor) -> None:
        if not await client.blob_exists(repository, blob.digest):
            raise RegistryError(
                f"{client.host} has lost blob {blob.digest} of {repository} after the upload",
                hint="push again; if it happens again its storage is broken",
                registry=client.host,
                repository=repository,
            )

    await side_by_side(check, manifest.blobs, at_once=_AT_ONCE)


async def put_tags(
    client: RegistryClient,
    repository: str,
    tags: Sequence[str],
    image: PushedImage,
    on_tags: OnTags,
) -> PushedImage:
    """The image with `tags` beside those it has: its manifest is written under each, and seen to
    stand there. The first goes before the others: Quay refuses a manifest that it does not know yet
    when it comes twice at a time (jib#2470).

    Raises the first refusal when every other tag is done: of one cut off in the middle nobody
    could tell whether it is there. What was written by then `on_tags` has heard, and of what is
    cancelled on the way the client's listener.
    """
    refusals: list[RegistryError] = []
    written = image

    async def put(tag: str) -> None:
        nonlocal written
        try:
            await client.put_manifest(repository, tag, image.manifest)
            await see(client, repository, tag, image.manifest.digest)
        except RegistryError as error:
            error.tag = tag
            refusals.append(error)
            return
        except anyio.get_cancelled_exc_class():
            client.listener(CutOff(host=client.host, repository=repository, tag=tag))
            raise
        written = replace(written, tags=(*written.tags, tag))
        on_tags(written)

    await side_by_side(put, tags[:1], at_once=1)
    await side_by_side(put, tags[1:], at_once=_AT_ONCE)
    if refusals:
        raise refusals[0]
    return replace(image, tags=(*image.tags, *tags))


async def see(
    client: RegistryClient, repository: str, tag: str, digest: Digest, *, looks: int = _LOOKS
) -> None:
    """Raises ContentMismatch unless the tag stands for the manifest, as far as we may look, at one
    of so many `looks`."""
    try:
        there = await client.await_manifest(repository, tag, digest, looks=looks)
    except RegistryError as error:
        if error.status in MAY_NOT_LOOK:
            return  # who may only write has the answer to what was written
        raise
    if there == digest:
        return
    raise ContentMismatch(
        f"{client.host}: {repository}:{tag} is {there or 'not there'} after it was pushed as "
        f"{digest}",
        hint="was something else pushed under this tag at the same time? push again",
        registry=client.host,
        repository=repository,
    )
