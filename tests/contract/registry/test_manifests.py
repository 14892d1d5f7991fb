"""Manifests: asked for, read, written by tag and by digest, refused, and moved."""

from __future__ import annotations

import aiohttp
import pytest

from longshore.errors import RegistryError
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_index, image_manifest
from longshore.oci.media_types import Compression, Format
from longshore.registry.blobs import BlobBytes
from longshore.registry.client import RegistryClient
from longshore.testing.registry_bench import RegistryBench

from .conftest import Connect

REPOSITORY = "team/app"
ABSENT = Digest.of(b"never pushed")


def manifest_of(config: bytes, layer: bytes, fmt: Format) -> Manifest:
    return image_manifest(
        Descriptor.of(config, fmt.config_type),
        [Descriptor.of(layer, fmt.layer_type(Compression.GZIP))],
        fmt=fmt,
    )


async def image(
    client: RegistryClient, layer: bytes = b"layer", fmt: Format = Format.DOCKER
) -> Manifest:
    """Upload the blobs of an image and say what its manifest is."""
    for blob in (b"{}", layer):
        await client.upload_blob(REPOSITORY, BlobBytes(blob), digest=Digest.of(blob))
    return manifest_of(b"{}", layer, fmt)


@pytest.mark.parametrize("fmt", list(Format))
async def test_a_manifest_keeps_its_bytes_by_tag_and_by_digest(
    bench: RegistryBench, connect: Connect, fmt: Format
) -> None:
    async with bench.standing() as registry, connect(registry) as client:
        manifest = await image(client, fmt=fmt)
        assert await client.put_manifest(REPOSITORY, "1.0", manifest) == manifest.digest
        for reference in ("1.0", manifest.digest):
            assert await client.head_manifest(REPOSITORY, reference) == manifest.digest
            assert await client.get_manifest(REPOSITORY, reference) == manifest


async def test_an_index_and_what_it_names_are_put_by_digest_and_tag(
    bench: RegistryBench, connect: Connect
) -> None:
    async with bench.standing() as registry, connect(registry) as client:
        manifest = await image(client, fmt=Format.OCI)
        index = image_index([manifest.descriptor])
        await client.put_manifest(REPOSITORY, manifest.digest, manifest)
        assert await client.put_manifest(REPOSITORY, "all", index) == index.digest
        assert await client.get_manifest(REPOSITORY, "all") == index
        assert await client.tags(REPOSITORY) == ("all",)


async def test_a_tag_moves_and_both_manifests_stay(bench: RegistryBench, connect: Connect) -> None:
    async with bench.standing() as registry, connect(registry) as client:
        first, second = await image(client, b"one"), await image(client, b"two")
        for manifest in (first, second):
            await client.put_manifest(REPOSITORY, "t", manifest)
        await client.put_manifest(REPOSITORY, "u", first)
        assert await client.head_manifest(REPOSITORY, "t") == second.digest
        assert await client.head_manifest(REPOSITORY, first.digest) == first.digest
        assert await client.tags(REPOSITORY) == ("t", "u")


async def test_a_manifest_whose_blobs_are_missing_is_refused_and_its_tag_stays(
    bench: RegistryBench, connect: Connect, real: bool
) -> None:
    lacking = manifest_of(b"{}", b"never pushed", Format.DOCKER)
    async with bench.standing() as registry, connect(registry) as client:
        before = await image(client)
        await client.put_manifest(REPOSITORY, "t", before)
        with pytest.raises(RegistryError) as caught:
            await client.put_manifest(REPOSITORY, "t", lacking)
        assert await client.head_manifest(REPOSITORY, "t") == before.digest
    detail = str(ABSENT) if real else f'{{"digest": "{ABSENT}"}}'
    assert caught.value.message == (
        f"{registry.host} refused manifest t of {REPOSITORY}: MANIFEST_BLOB_UNKNOWN: blob unknown "
        f"to registry ({detail}) (HTTP 400 Bad Request)"
    )
    assert caught.value.hint == (
        "a layer vanished from the registry meanwhile (garbage collection?); push again"
    )


@pytest.mark.parametrize("repository", [REPOSITORY, "no/such"])
async def test_a_tag_that_is_not_there_is_none_and_cannot_be_read(
    bench: RegistryBench, connect: Connect, real: bool, repository: str
) -> None:
    async with bench.standing() as registry, connect(registry) as client:
        await client.put_manifest(REPOSITORY, "other", await image(client))
        assert await client.head_manifest(repository, "t") is None
        with pytest.raises(RegistryError) as caught:
            await client.get_manifest(repository, "t")
        assert await client.tags(repository) == (("other",) if repository == REPOSITORY else ())
    detail = '{"Tag": "t"}' if real else f'{{"name": "{repository}", "reference": "t"}}'
    assert caught.value.message == (
        f"{registry.host} refused manifest t of {repository}: MANIFEST_UNKNOWN: manifest unknown "
        f"({detail}) (HTTP 404 Not Found)"
    )
    assert (
        caught.value.hint == f"check the name {repository}; some registries want it created first"
    )


async def test_a_manifest_that_was_deleted_is_put_again(
    bench: RegistryBench, connect: Connect
) -> None:
    async with bench.standing() as registry, connect(registry) as client:
        manifest = await image(client)
        await client.put_manifest(REPOSITORY, "t", manifest)
        async with aiohttp.ClientSession() as http:
            url = f"{registry.url}/v2/{REPOSITORY}/manifests/{manifest.digest}"
            assert (await http.delete(url)).status == 202
        assert await client.head_manifest(REPOSITORY, "t") is None
        await client.put_manifest(REPOSITORY, "t", manifest)
        assert await client.get_manifest(REPOSITORY, "t") == manifest
