"""Images that flow by once."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from longshore.errors import ContentMismatch
from longshore.image.compression import CompressionOptions
from longshore.image.export import ExportedImage
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression, Format
from longshore.registry.memory import LayerCache
from longshore.registry.placing import Placer
from longshore.registry.publish import PushedImage
from longshore.registry.push import PushOptions, push
from longshore.registry.push_stream import ImageStream, find_layers, place_stream, push_stream
from longshore.testing.faults import LoseUpload, ResetRequest, Script, on
from longshore.testing.registry import faulty_registry
from longshore.testing.stored import MemoryImage, MemoryLayer, PackedLayer

from .conftest import Collecting, Connect, MakeBytes

REPOSITORY = "team/app"


class Export:
    """The exports of an image, in small chunks; counts them, and can damage the content."""

    def __init__(self, image: MemoryImage, damaged: bool = False) -> None:
        self.image = image
        self.content = image.saved()
        if damaged:
            middle = 512 + 1000
            flipped = bytes([self.content[middle] ^ 1])
            self.content = self.content[:middle] + flipped + self.content[middle + 1 :]
        self.passes = 0

    @property
    def stream(self) -> ImageStream:
        """As an engine has it."""
        parts = self.image.parts
        return ImageStream(identity=parts.config_digest, diff_ids=parts.diff_ids, export=self.open)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ExportedImage]:
        self.passes += 1
        yield ExportedImage(self._chunks(), diff_ids=self.image.parts.diff_ids)

    async def _chunks(self) -> AsyncIterator[bytes]:
        for begin in range(0, len(self.content), 100_000):
            yield self.content[begin : begin + 100_000]


@pytest.fixture
def image(some_bytes: MakeBytes) -> MemoryImage:
    """Three layers of which one goes in chunks."""
    sizes = (3_000_000, 10_000, 200_000)
    return MemoryImage([MemoryLayer(some_bytes(size, size)) for size in sizes])


def _packed(image: MemoryImage) -> MemoryImage:
    """As engines with the containerd store have it."""
    return MemoryImage(
        [
            PackedLayer(gzip.compress(one.content), Digest.of(one.content), Compression.GZIP)
            for one in image.sources
        ]
    )


async def _push(
    placer: Placer, export: Export, *tags: str, options: PushOptions | None = None
) -> PushedImage:
    return await push_stream(
        placer, REPOSITORY, tags or ["1"], export.stream, options or PushOptions()
    )


async def test_the_stream_gives_the_same_manifest_as_the_store(
    connect: Connect, image: MemoryImage
) -> None:
    async with faulty_registry() as registry, connect(registry.host) as client:
        options = PushOptions(format=Format.OCI)
        stored = await push(client, "stored/app", ["1"], image, options)
        streamed = await _push(Placer(client=client), Export(image), "1", "2")
        assert streamed.manifest == stored.manifest
        assert await client.head_manifest(REPOSITORY, "2") == stored.manifest.digest


async def test_an_image_that_is_there_is_not_exported(connect: Connect, image: MemoryImage) -> None:
    again = Export(image)
    async with faulty_registry() as registry, connect(registry.host) as client:
        first = await _push(Placer(client=client), Export(image))
        registry.recorded.clear()
        assert (await _push(Placer(client=client), again)).manifest == first.manifest
        assert len(registry.recorded) <= 3
    assert again.passes == 0


@pytest.mark.parametrize("packed", [True, False])
async def test_an_image_whose_layers_are_placed_is_not_exported_again(
    connect: Connect, image: MemoryImage, packed: bool
) -> None:
    if packed:
        image = _packed(image)
    export = Export(image)
    async with faulty_registry() as registry, connect(registry.host) as client:
        placer = Placer(client=client)
        await place_stream(placer, REPOSITORY, export.stream, PushOptions())
        await _push(placer, export)
        await push_stream(placer, "other/place", ["1"], export.stream, PushOptions())
        places = (REPOSITORY, "other/place")
        digests = {await client.head_manifest(place, "1") for place in places}
    assert export.passes == 1
    assert len(digests) == 1
    assert None not in digests


async def test_layers_mounted_beforehand_are_told_as_mounted_by_the_push(
    connect: Connect, image: MemoryImage, tmp_path: Path
) -> None:
    export, options = Export(image), PushOptions()
    memory = LayerCache(tmp_path)
    async with faulty_registry() as registry, connect(registry.host) as client:
        placer = Placer(client=client, memory=memory)
        await place_stream(placer, REPOSITORY, export.stream, options)
        await find_layers(placer, "team/other", export.stream.diff_ids, options)
        passed = await place_stream(placer, "team/other", export.stream, options)
    memory.close()
    assert export.passes == 1
    assert [one.delivery.route for one in passed.layers] == ["mounted"] * 3
    assert {one.delivery.source for one in passed.layers} == {REPOSITORY}


async def test_layers_collected_before_the_manifest_came_are_exported_again(
    connect: Connect, image: MemoryImage
) -> None:
    export = Export(image)
    async with faulty_registry() as registry, connect(registry.host) as client:
        registry.plan = plan = Collecting(registry.storage, REPOSITORY)
        pushed = await _push(Placer(client=client), export)
        assert await client.head_manifest(REPOSITORY, "1") == pushed.manifest.digest
        for blob in pushed.manifest.blobs:
            assert await client.blob_exists(REPOSITORY, blob.digest)
    assert len(plan.collected) == 4
    assert export.passes == 2


async def test_a_break_is_mended_in_one_pass(connect: Connect, image: MemoryImage) -> None:
    export = Export(image)
    plan = Script([on("PATCH upload", ResetRequest(after=1_500_000))])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        pushed = await _push(Placer(client=client), export)
        assert await client.head_manifest(REPOSITORY, "1") == pushed.manifest.digest
    assert export.passes == 1
    assert pushed.deliveries[0].resumed


async def test_a_lost_session_costs_no_pass_while_all_its_bytes_are_at_hand(
    connect: Connect, image: MemoryImage
) -> None:
    export = Export(image)
    plan = Script([on("PATCH upload", LoseUpload())])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        pushed = await _push(Placer(client=client), export)
        assert await client.head_manifest(REPOSITORY, "1") == pushed.manifest.digest
    assert export.passes == 1
    assert sum(one.restarts for one in pushed.deliveries) == 1


async def test_a_lost_session_costs_at_most_another_pass_in_which_nothing_is_sent_twice(
    connect: Connect, image: MemoryImage
) -> None:
    export = Export(MemoryImage(tuple(reversed(image.sources))))
    plan = Script([on("PATCH upload", LoseUpload())])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        pushed = await _push(Placer(client=client), export)
        assert await client.head_manifest(REPOSITORY, "1") == pushed.manifest.digest
        blobs = [one for one in registry.requests("PUT") if one.status == 201]
    assert export.passes <= 2
    assert len(blobs) == 5  # three layers, the configuration, the manifest


async def test_a_damaged_export_ends_in_an_error_and_no_tag(
    connect: Connect, image: MemoryImage
) -> None:
    async with faulty_registry() as registry, connect(registry.host) as client:
        with pytest.raises(ContentMismatch):
            await _push(Placer(client=client), Export(image, damaged=True))
        assert await client.head_manifest(REPOSITORY, "1") is None


@pytest.mark.parametrize("wanted", [Compression.NONE, Compression.GZIP])
async def test_layers_that_arrive_packed_are_packed_anew_when_that_was_asked_for(
    connect: Connect, image: MemoryImage, wanted: Compression
) -> None:
    packed = _packed(image)
    compression = CompressionOptions(compression=wanted)
    options = PushOptions(compression=compression, repack=True)
    async with faulty_registry() as registry, connect(registry.host) as client:
        placer = Placer(client=client, compression=compression)
        pushed = await _push(placer, Export(packed), options=options)
    plain = [Digest.of(one.content) for one in image.sources]
    as_they_came = [Digest.of(one.content) for one in packed.sources]
    expected = plain if wanted is Compression.NONE else as_they_came
    assert [layer.digest for layer in pushed.manifest.layers] == expected


@pytest.mark.parametrize("repack", [True, False])
async def test_a_packed_layer_with_another_content_than_the_export_says_ends_in_an_error(
    connect: Connect, repack: bool
) -> None:
    lie = PackedLayer(gzip.compress(b"one"), Digest.of(b"another"), Compression.GZIP)
    compression = CompressionOptions(compression=Compression.NONE if repack else Compression.GZIP)
    options = PushOptions(compression=compression, repack=repack)
    async with faulty_registry() as registry, connect(registry.host) as client:
        placer = Placer(client=client, compression=compression)
        with pytest.raises(ContentMismatch):
            await _push(placer, Export(MemoryImage([lie])), options=options)
        assert await client.head_manifest(REPOSITORY, "1") is None
