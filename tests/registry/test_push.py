"""Whole images into a registry."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Sequence

import anyio
import anyio.lowlevel
import pytest
from msgspec.structs import replace

from longshore.errors import ContentMismatch, RegistryError, RegistryUnavailable, UsageError
from longshore.image.compression import CompressionOptions, codec_for
from longshore.image.files import FileImage
from longshore.image.layer import Block
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_manifest, parse_manifest
from longshore.oci.media_types import OCI_CONFIG, Compression, Format
from longshore.registry.client import RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.progress import Progress, Waiting
from longshore.registry.push import PushOptions, push
from longshore.registry.server.routes import Kind
from longshore.testing.faults import (
    FORBIDDEN,
    Answer,
    Corrupt,
    ResetRequest,
    ResetResponse,
    Script,
    on,
    seeded_faults,
)
from longshore.testing.registry import FaultyRegistry, faulty_registry
from longshore.testing.stored import MemoryImage, MemoryLayer, PackedLayer

from .conftest import Connect, MakeBytes

REPOSITORY = "team/app"


@pytest.fixture
def image(some_bytes: MakeBytes) -> MemoryImage:
    """Two layers, one of them twice."""
    empty = MemoryLayer(bytes(1024))
    return MemoryImage([MemoryLayer(some_bytes(3_000_000)), empty, empty])


async def _unpacked(client: RegistryClient, manifest: Manifest) -> list[Digest]:
    diff_ids = []
    for layer in manifest.layers:
        async with client.get_blob(REPOSITORY, layer.digest, layer.size) as data:
            packed = b"".join([piece async for piece in data])
        diff_ids.append(Digest.of(gzip.decompress(packed)))
    return diff_ids


async def test_what_is_there_afterwards_is_the_image(connect: Connect, image: MemoryImage) -> None:
    async with faulty_registry() as registry, connect(registry.host) as client:
        pushed = await push(client, REPOSITORY, ["1", "2"], image, PushOptions(verify=True))
        assert len(pushed.sent) == 3
        assert image.sources[1].opened == 1  # the same layer twice is sent once
        for tag in ("1", "2"):
            there = await client.get_manifest(REPOSITORY, tag)
            assert there == pushed.manifest
        assert await _unpacked(client, pushed.manifest) == list(image.parts.diff_ids)
        assert pushed.manifest.media_type == Format.DOCKER.manifest_type


async def test_the_same_image_again_reads_no_layer_and_puts_only_the_other_tag(
    connect: Connect, image: MemoryImage
) -> None:
    async with faulty_registry() as registry:
        async with connect(registry.host) as client:
            first = await push(client, REPOSITORY, ["1"], image, PushOptions())
        registry.recorded.clear()
        async with connect(registry.host) as client:
            again = await push(client, REPOSITORY, ["1", "2"], image, PushOptions())
            assert (again.manifest, again.deliveries) == (first.manifest, ())
        asked = [record.method for record in registry.recorded]
    assert asked == ["GET", "GET", "PUT", "HEAD"]
    assert [layer.opened for layer in image.sources] == [1, 1, 1]


def _layout(layers: Sequence[PackedLayer], comment: str = "") -> FileImage:
    """What an OCI layout of these layers gives: the manifest it came with is part of it."""
    parts = replace(MemoryImage(layers).parts, format=Format.OCI)
    config = Descriptor(media_type=OCI_CONFIG, digest=parts.config_digest, size=len(parts.config))
    described = [layer.packed for layer in layers if layer.packed]
    plain = json.loads(image_manifest(config, described, fmt=Format.OCI).content)
    content = json.dumps({**plain, "annotations": {"comment": comment}}).encode()
    manifest = parse_manifest(content)
    assert isinstance(manifest, Manifest)
    return FileImage(parts=parts, layers=tuple(layers), manifest=manifest)


def _packed(content: bytes, compression: Compression = Compression.GZIP) -> PackedLayer:
    blob = content
    if compression is Compression.GZIP:
        blob = gzip.compress(content)
    elif compression is Compression.ZSTD:
        blob = bytes(codec_for(CompressionOptions(compression=compression)).pack(content))
    return PackedLayer(blob, Digest.of(content), compression)


async def test_a_layout_keeps_its_digest_though_its_configuration_is_there_in_another_manifest(
    connect: Connect, image: MemoryImage
) -> None:
    layers = [_packed(one.content) for one in image.sources]
    async with faulty_registry() as registry, connect(registry.host) as client:
        for comment in ("first", "second"):
            layout = _layout(layers, comment)
            assert layout.manifest is not None
            pushed = await push(client, REPOSITORY, ["1"], layout, PushOptions())
            assert pushed.manifest == layout.manifest
            assert await client.head_manifest(REPOSITORY, "1") == layout.manifest.digest
        registry.recorded.clear()
        await push(client, REPOSITORY, ["1"], layout, PushOptions())
        assert [one.method for one in registry.recorded] == ["GET"]


@pytest.mark.parametrize("had", list(Compression))
@pytest.mark.parametrize("wanted", list(Compression))
async def test_packed_layers_are_packed_anew_when_another_compression_is_asked_for_by_name(
    connect: Connect, image: MemoryImage, had: Compression, wanted: Compression
) -> None:
    layout = _layout([_packed(one.content, had) for one in image.sources])
    options = PushOptions(compression=CompressionOptions(compression=wanted), repack=True)
    async with faulty_registry() as registry, connect(registry.host) as client:
        pushed = await push(client, REPOSITORY, ["1"], layout, options)
        again = await push(client, REPOSITORY, ["1"], layout, options)
    types = {layer.media_type for layer in pushed.manifest.layers}
    assert types == {Format.OCI.layer_type(wanted)}
    assert (pushed.manifest == layout.manifest) is (had is wanted)
    assert (again.manifest, again.deliveries) == (pushed.manifest, ())


async def test_a_packed_layer_that_is_not_what_it_says_is_not_packed_anew(
    connect: Connect,
) -> None:
    lie = PackedLayer(gzip.compress(b"one"), Digest.of(b"another"), Compression.GZIP)
    options = PushOptions(compression=CompressionOptions(compression=Compression.NONE), repack=True)
    async with faulty_registry() as registry, connect(registry.host) as client:
        with pytest.raises(ContentMismatch):
            await push(client, REPOSITORY, ["1"], _layout([lie]), options)
        assert await client.head_manifest(REPOSITORY, "1") is None


async def test_layers_in_zstd_are_refused_in_a_manifest_that_cannot_say_so(
    connect: Connect, image: MemoryImage
) -> None:
    layout = _layout([_packed(one.content, Compression.ZSTD) for one in image.sources])
    async with faulty_registry() as registry, connect(registry.host) as client:
        with pytest.raises(UsageError, match="packed with zstd") as caught:
            await push(client, REPOSITORY, ["1"], layout, PushOptions(format=Format.DOCKER))
        assert registry.requests("POST") == []
    assert "--compression gzip" in (caught.value.hint or "")


async def test_the_same_layers_packed_again_have_the_same_digest(
    connect: Connect, image: MemoryImage
) -> None:
    async with faulty_registry() as registry, connect(registry.host) as client:
        one = await push(client, REPOSITORY, ["1"], image, PushOptions())
        other = await push(client, "team/other", ["1"], image, PushOptions())
    assert one.manifest == other.manifest


@pytest.mark.parametrize("compression", [Compression.NONE, Compression.GZIP])
async def test_the_other_format_and_packing_can_be_asked_for(
    connect: Connect, image: MemoryImage, compression: Compression
) -> None:
    options = PushOptions(
        format=Format.OCI, compression=CompressionOptions(compression=compression)
    )
    async with faulty_registry() as registry, connect(registry.host) as client:
        pushed = await push(client, REPOSITORY, ["1"], image, options)
        assert await client.get_manifest(REPOSITORY, "1") == pushed.manifest
    assert pushed.manifest.media_type == Format.OCI.manifest_type
    assert {one.media_type for one in pushed.manifest.layers} == {
        Format.OCI.layer_type(compression)
    }


async def test_a_layer_that_is_not_what_it_was_stops_the_push_before_any_tag(
    connect: Connect, some_bytes: MakeBytes
) -> None:
    changed = MemoryLayer(some_bytes(2_000_000), Digest.of(b"what it was"))
    async with faulty_registry() as registry, connect(registry.host) as client:
        with pytest.raises(ContentMismatch):
            await push(client, REPOSITORY, ["1"], MemoryImage([changed]), PushOptions())
        assert await client.head_manifest(REPOSITORY, "1") is None
        assert len(registry.requests("DELETE")) == 1


async def test_a_refusal_comes_out_as_one_clear_error(connect: Connect, image: MemoryImage) -> None:
    plan = Script([on("POST uploads", FORBIDDEN, times=None)])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        with pytest.raises(
            RegistryError, match=r"refused (layer \d of 3|the configuration) of team/app: DENIED"
        ):
            await push(client, REPOSITORY, ["1"], image, PushOptions())


async def test_a_layer_packed_on_the_way_is_resumed_and_read_once(
    connect: Connect, some_bytes: MakeBytes
) -> None:
    image = MemoryImage([MemoryLayer(some_bytes(6_000_000))])
    plan = Script([on("PATCH upload", ResetRequest(after=2_500_000))])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        pushed = await push(client, REPOSITORY, ["1"], image, PushOptions())
        assert await _unpacked(client, pushed.manifest) == list(image.parts.diff_ids)
    assert pushed.deliveries[0].resumed == (2_500_000,)
    assert image.sources[0].opened == 1


@pytest.mark.parametrize("seed", range(5))
async def test_images_get_through_storms(
    connect: Connect, some_bytes: MakeBytes, seed: int
) -> None:
    image = MemoryImage([MemoryLayer(some_bytes(700_000 * n, n)) for n in range(1, 5)])
    async with (
        faulty_registry(plan=seeded_faults(seed, 0.15)) as registry,
        connect(registry.host) as client,
    ):
        pushed = await push(client, REPOSITORY, ["1"], image, PushOptions())
        registry.plan = Script()
        assert await client.head_manifest(REPOSITORY, "1") == pushed.manifest.digest
        assert await _unpacked(client, pushed.manifest) == list(image.parts.diff_ids)


async def test_a_tag_that_stands_for_something_unreadable_is_replaced(
    connect: Connect, image: MemoryImage
) -> None:
    plan = Script([on("GET manifest", Corrupt())])
    async with faulty_registry() as registry, connect(registry.host) as client:
        await push(client, REPOSITORY, ["1"], image, PushOptions())
        registry.plan = plan
        pushed = await push(client, REPOSITORY, ["1"], image, PushOptions())
        assert await client.get_manifest(REPOSITORY, "1") == pushed.manifest


async def test_a_tag_that_a_lagging_copy_shows_only_after_a_while_is_waited_for(
    connect: Connect, image: MemoryImage, told: list[Progress]
) -> None:
    """Docker Hub shows some only after seconds (int128/docker-manifest-create-action#857)."""
    plan = Script([on("HEAD,GET manifest", Answer(status=404), first=2, times=10)])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        await push(client, REPOSITORY, ["1"], image, PushOptions())
    assert len([event for event in told if isinstance(event, Waiting)]) == 5


@pytest.mark.parametrize("retries", [0, 1, 8])
async def test_a_tag_that_is_something_else_in_the_end_is_told_however_few_retries_there_are(
    connect: Connect, image: MemoryImage, retries: int
) -> None:
    plan = Script([on("HEAD,GET manifest", Answer(status=404), times=None)])
    limits = Limits(retries=retries)
    async with (
        faulty_registry(plan=plan) as registry,
        connect(registry.host, limits=limits) as client,
    ):
        with pytest.raises(ContentMismatch, match="is not there after it was pushed"):
            await push(client, REPOSITORY, ["1"], image, PushOptions())


async def test_an_image_whose_blobs_are_not_all_there_is_pushed_again_when_that_is_verified(
    connect: Connect, image: MemoryImage
) -> None:
    async with faulty_registry() as registry, connect(registry.host) as client:
        pushed = await push(client, REPOSITORY, ["1"], image, PushOptions())
        lost = pushed.manifest.layers[0].digest
        registry.storage.delete_blob(REPOSITORY, lost)
        again = await push(client, REPOSITORY, ["1"], image, PushOptions(verify=True))
        assert again.manifest == pushed.manifest
        assert await client.blob_exists(REPOSITORY, lost)


async def test_a_tag_that_cannot_be_looked_at_for_breaks_is_not_pushed_over(
    connect: Connect, image: MemoryImage
) -> None:
    """A host that cannot answer that will not take layers either."""
    plan = Script([on("GET manifest", ResetResponse(), times=None)])
    async with (
        faulty_registry(plan=plan) as registry,
        connect(registry.host, limits=Limits(retries=1)) as client,
    ):
        with pytest.raises(RegistryUnavailable):
            await push(client, REPOSITORY, ["1"], image, PushOptions())
        assert registry.requests("POST") == []


class Patient(MemoryLayer):
    """A layer that gives nothing before the registry has taken the configuration."""

    def __init__(self, content: bytes, registry: FaultyRegistry) -> None:
        super().__init__(content)
        self.registry = registry

    async def _blocks(self) -> AsyncIterator[Block]:
        with anyio.fail_after(5):
            while not self.registry.requests("PUT", Kind.UPLOAD):
                await anyio.lowlevel.checkpoint()
        async for block in super()._blocks():
            yield block


async def test_the_configuration_goes_up_beside_the_layers(
    connect: Connect, some_bytes: MakeBytes
) -> None:
    async with faulty_registry() as registry, connect(registry.host) as client:
        image = MemoryImage([Patient(some_bytes(3_000_000), registry)])
        await push(client, REPOSITORY, ["1"], image, PushOptions())
    assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
