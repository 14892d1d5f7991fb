"""Layers of published images: their manifest tells the digest of each layer's blob."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from longshore.errors import LongshoreError
from longshore.image.config import read_config
from longshore.image.content import choose_manifest
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest
from longshore.oci.media_types import compression_of, is_foreign
from longshore.oci.platform import Platform
from longshore.registry.client import RegistryClient
from longshore.registry.placed import Candidate, Candidates


class PublishedImage(Struct, frozen=True, kw_only=True):
    """A manifest (or index) in a repository of the registry that is pushed to."""

    repository: str
    digest: Digest


async def published_layers(
    client: RegistryClient, images: Sequence[PublishedImage], platform: Platform
) -> Candidates:
    """The blobs of all layers of `images` by diff ID; images that cannot be read are left out.

    Every document is verified by the digest it was asked for, so the pairs are right.
    """
    found: dict[Digest, tuple[Candidate, ...]] = {}
    for image in images:
        try:
            found |= await _layers(client, image, platform)
        except LongshoreError:
            continue  # this only saves time
    return found


async def manifest_for(
    client: RegistryClient, image: PublishedImage, platform: Platform
) -> Manifest | None:
    """The manifest, or the one an index has for `platform`; None where that is an index again.

    Raises NotFound for an index that has none.
    """
    document = await client.get_manifest(image.repository, image.digest)
    if not isinstance(document, Manifest):
        chosen = choose_manifest(document.manifests, platform)
        document = await client.get_manifest(image.repository, chosen.digest)
    return document if isinstance(document, Manifest) else None


async def _layers(
    client: RegistryClient, image: PublishedImage, platform: Platform
) -> dict[Digest, tuple[Candidate, ...]]:
    manifest = await manifest_for(client, image, platform)
    if manifest is None:
        return {}
    diff_ids = await _diff_ids(client, image.repository, manifest)
    return {
        diff_id: (
            Candidate(
                digest=layer.digest,
                size=layer.size,
                compression=compression_of(layer.media_type),
                repositories=(image.repository,),
            ),
        )
        for diff_id, layer in zip(diff_ids, manifest.layers, strict=False)
        if len(diff_ids) == len(manifest.layers) and not is_foreign(layer.media_type)
    }


async def _diff_ids(
    client: RegistryClient, repository: str, manifest: Manifest
) -> tuple[Digest, ...]:
    config = manifest.config
    async with client.get_blob(repository, config.digest, config.size) as data:
        content = b"".join([piece async for piece in data])
    return read_config(content).diff_ids
