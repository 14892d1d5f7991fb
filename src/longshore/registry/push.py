"""An image into a repository: what is missing is packed and sent, then the manifest under its tags.

Nothing is visible before the manifest, and the manifest comes only after every blob is there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from longshore.errors import RegistryError, RegistryUnavailable, UsageError
from longshore.image.compression import CompressionOptions
from longshore.image.files import FileImage
from longshore.image.layer import LayerSource, StoredImage
from longshore.image.repacked import Repacked
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest
from longshore.oci.media_types import Compression, Format, compression_of, is_foreign
from longshore.registry.client import RegistryClient
from longshore.registry.placed import Candidate, Candidates, Placed, key_of
from longshore.registry.placing import Placer
from longshore.registry.publish import (
    OnTags,
    PushedImage,
    Release,
    publish,
    put_tags,
    send_config,
    unheard,
    verify,
)
from longshore.registry.side_by_side import side_by_side
from longshore.registry.transport.retry import Patience

_AT_ONCE: Final = 8
"""Layers looked after at a time; fewer are on their way (`placing.LANES`)."""

_ATTEMPTS: Final = 4
_UNKNOWN: Final = frozenset({404, 403, 405, None})
"""403: the right to write may be given without that to read."""
_LIMITED: Final = frozenset({429})
"""Docker Hub limits pulls, of which this question is one, and takes a push all the same."""

_LOST: Final = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})


class PushOptions(Struct, frozen=True, kw_only=True):
    """How to push; `mount_from` are repositories that may have the packed layers already.

    `candidates` are blobs that are known to hold some of the layers.
    """

    compression: CompressionOptions = field(default_factory=CompressionOptions)
    format: Format | None = None
    """None: the image's own."""
    mount_from: tuple[str, ...] = ()
    repack: bool = False
    """The compression was asked for by name: layers that came packed otherwise are packed anew."""
    verify: bool = False
    """Ask for every blob once more at the end."""
    candidates: Candidates = field(default_factory=dict)
    differs: bool = False
    """Whoever asks has looked: what the first tag names is not this image."""
    on_tags: OnTags = unheard
    """Hears of what stands in the registry, whatever fails after it."""

    @property
    def wanted(self) -> Compression | None:
        """How all layers have to be packed; None: whoever packed them before may choose."""
        compression = self.compression.compression
        return compression if self.repack or compression is not Compression.GZIP else None

    def of(self, diff_id: Digest) -> tuple[Candidate, ...]:
        """The candidates for one layer."""
        return self.candidates.get(diff_id, ())


async def push(
    client: RegistryClient,
    repository: str,
    tags: Sequence[str],
    image: StoredImage,
    options: PushOptions,
    placer: Placer | None = None,
) -> PushedImage:
    """Have `image` in `repository` under every one of `tags` (at least one).

    When the first tag is this image already, no layer is read. Pushes that share a `placer` (of
    the same client) send no layer twice. Raises what `RegistryClient` and the layers raise; then
    no tag was changed but those that `options.on_tags` has heard of.
    """
    placer = placer or Placer(client=client, compression=options.compression)
    own = _own_manifest(image, options)
    there = await same_image(client, repository, tags, identity_of(image, options), options)
    if there is not None:
        return there

    async def attempt() -> PushedImage:
        placed = await _placed(placer, repository, image, options)
        release = Release(parts=image.parts, layers=placed, manifest=own, on_tags=options.on_tags)
        return await publish(client, repository, tags, release, options.format, options.verify)

    return await again_if_lost(attempt, placer, repository)


async def _placed(
    placer: Placer, repository: str, image: StoredImage, options: PushOptions
) -> tuple[Placed, ...]:
    """The layers, with the configuration beside them: after them it would cost three turns."""
    placed: list[Placed] = []

    async def layers() -> None:
        placed.extend(await place_layers(placer, repository, image, options))

    async def config() -> None:
        await send_config(placer.client, repository, image.parts)

    works = (layers, config)
    await side_by_side(lambda work: work(), works, at_once=len(works))
    return tuple(placed)


async def again_if_lost(
    attempt: Callable[[], Awaitable[PushedImage]], placer: Placer, repository: str
) -> PushedImage:
    """Again when the registry lacks blobs that it had: those without a manifest are what its
    garbage collection takes. Some know a blob only a while after they took it (eventually
    consistent storage; openshift/image-registry#220): then we wait in between."""
    patience: Patience | None = None
    for _ in range(_ATTEMPTS - 1):
        try:
            return await attempt()
        except RegistryError as error:
            if error.code not in _LOST:
                raise
            if patience is None:
                patience = await placer.client.patience(repository)
            elif not await patience.look_again(f"{error.code}"):
                raise
            placer.forget(repository)
    return await attempt()


async def same_image(
    client: RegistryClient,
    repository: str,
    tags: Sequence[str],
    identity: Digest,
    options: PushOptions,
) -> PushedImage | None:
    """When the first tag is this very image in the wanted format, put the others and be done.

    `identity` is the digest of the configuration, which names every layer by diff ID; or that of
    the manifest, where it has to stay the same or the engine calls images by it.
    """
    if options.differs:
        return None
    client.will_push(repository)
    there = await _manifest_under(client, repository, tags[0])
    if there is None or identity not in (there.config.digest, there.digest):
        return None
    if not _is_as_wanted(there, options):
        return None
    if options.verify:
        try:
            await verify(client, repository, there)
        except RegistryError:
            return None
    found = PushedImage(manifest=there, tags=(tags[0],))
    options.on_tags(found)
    return await put_tags(client, repository, tags[1:], found, options.on_tags)


def identity_of(image: StoredImage, options: PushOptions) -> Digest:
    """By what `same_image` knows it in the registry."""
    own = _own_manifest(image, options)
    return own.digest if own else image.parts.config_digest


async def _manifest_under(client: RegistryClient, repository: str, tag: str) -> Manifest | None:
    """None when it is no image's, and when it is not for us to know: we only want to spare work."""
    try:
        there = await client.get_manifest(repository, tag, final=_LIMITED)
    except RegistryError as error:
        # No status: what came is damaged, or no image. It is not ours, so it will be replaced.
        if error.status in _LIMITED:
            return None
        if error.status in _UNKNOWN and not isinstance(error, RegistryUnavailable):
            return None
        raise
    return there if isinstance(there, Manifest) else None


def _is_as_wanted(there: Manifest, options: PushOptions) -> bool:
    if options.format and there.media_type != options.format.manifest_type:
        return False
    # Foreign layers are the same in every packing that is asked for.
    packed = (layer.media_type for layer in there.layers if not is_foreign(layer.media_type))
    return all(options.wanted in (None, compression_of(media_type)) for media_type in packed)


def _own_manifest(image: StoredImage, options: PushOptions) -> Manifest | None:
    """The manifest the image came with: pushed as it is, its digest stays the same."""
    manifest = image.manifest if isinstance(image, FileImage) else None
    return manifest if manifest and _is_as_wanted(manifest, options) else None


def as_wanted(layer: LayerSource, options: PushOptions, fmt: Format | None) -> LayerSource:
    """The layer, packed anew where its packing is not the one asked for, unless it is foreign:
    others have the blob, by its digest.

    Raises UsageError when `fmt`, the manifest's, has no media type for it.
    """
    if layer.packed is None:
        return layer
    packing = compression_of(layer.packed.media_type)
    foreign = is_foreign(layer.packed.media_type)
    if not foreign and options.wanted not in (None, packing):
        return Repacked(layer=layer, blob=layer.packed)
    if fmt is Format.DOCKER and packing is Compression.ZSTD:
        way = "" if foreign else ", or have it packed anew with --compression gzip"
        raise UsageError(
            f"layer {layer.packed.digest} is packed with zstd, which manifests of the format "
            "docker cannot say",
            hint=f"push it with --format oci{way}",
        )
    return layer


def _layers(image: StoredImage, options: PushOptions) -> tuple[LayerSource, ...]:
    fmt = None if _own_manifest(image, options) else options.format or image.parts.format
    return tuple(as_wanted(layer, options, fmt) for layer in image.layers)


async def place_layers(
    placer: Placer, repository: str, image: StoredImage, options: PushOptions
) -> tuple[Placed, ...]:
    """Every distinct layer once; an image may hold the same layer (an empty one) twice."""
    layers = _layers(image, options)
    distinct = {key_of(layer): layer for layer in reversed(layers)}
    places: Mapping[Digest, int] = {
        key_of(layer): place for place, layer in reversed(list(enumerate(layers, 1)))
    }

    async def one(key: Digest) -> Placed:
        layer = distinct[key]
        if layer.packed and layer.packed.is_elsewhere:
            return Placed.elsewhere(repository, layer.packed)
        name = f"layer {places[key]} of {len(layers)}"
        return await placer.place(repository, layer, _offered(layer, options), name)

    # The largest first: the last one alone on the line is the time that is lost.
    order = sorted(distinct, key=lambda key: -(distinct[key].size or 0))
    done = dict(zip(order, await side_by_side(one, order, at_once=_AT_ONCE), strict=True))
    return tuple(_as_described(done[key_of(layer)], layer) for layer in layers)


def _as_described(placed: Placed, layer: LayerSource) -> Placed:
    """With what a manifest made anew has to keep of a foreign layer."""
    if layer.packed and is_foreign(layer.packed.media_type):
        return replace(placed, foreign=layer.packed)
    return placed


def _offered(layer: LayerSource, options: PushOptions) -> tuple[Candidate, ...]:
    offered = options.of(layer.diff_id or key_of(layer))
    if layer.packed and options.mount_from:
        itself = Candidate(
            digest=layer.packed.digest,
            size=layer.packed.size,
            compression=compression_of(layer.packed.media_type),
            repositories=options.mount_from,
        )
        return (*offered, itself)
    return offered
