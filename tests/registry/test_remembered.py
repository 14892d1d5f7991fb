"""What is remembered of layers: which of it is taken, and what is not worth remembering."""

from __future__ import annotations

import gzip
from contextlib import closing
from pathlib import Path

from longshore.image.compression import CompressionOptions, codec_for
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import image_manifest
from longshore.oci.media_types import DOCKER_CONFIG, Compression, Format
from longshore.registry.blobs import BlobBytes
from longshore.registry.memory import PUBLISHED, LayerCache, Remembered
from longshore.registry.placed import Candidate
from longshore.registry.placing import Placer
from longshore.registry.push import PushOptions, push
from longshore.testing.registry import faulty_registry
from longshore.testing.stored import MemoryImage, MemoryLayer, PackedLayer

from .conftest import Connect

REPOSITORY = "team/app"


async def test_a_layer_remembered_in_another_packing_than_the_wanted_is_packed_anew(
    connect: Connect, tmp_path: Path
) -> None:
    layer = MemoryLayer(b"the layer" * 1000)
    assert layer.diff_id is not None
    packed = PackedLayer(gzip.compress(layer.content), layer.diff_id, Compression.GZIP)
    wanted = CompressionOptions(compression=Compression.ZSTD)
    options = PushOptions(compression=wanted, format=Format.OCI)
    with closing(LayerCache(tmp_path)) as memory:
        async with faulty_registry() as registry, connect(registry.host) as client:
            first = Placer(client=client, memory=memory)
            await push(client, REPOSITORY, ["1"], MemoryImage([packed]), PushOptions(), first)
            again = Placer(client=client, memory=memory, compression=wanted)
            assert await again.known.is_published(layer.diff_id)
            pushed = await push(client, REPOSITORY, ["1"], MemoryImage([layer]), options, again)
    assert [one.media_type for one in pushed.manifest.layers] == [
        Format.OCI.layer_type(Compression.ZSTD)
    ]
    assert layer.opened == 1


async def test_of_what_is_remembered_our_own_packing_comes_first(
    connect: Connect, tmp_path: Path
) -> None:
    diff_id, blobs = Digest.of(b"the layer"), [b"packed by us", b"packed by others"]
    with closing(LayerCache(tmp_path)) as memory:
        async with faulty_registry() as registry, connect(registry.host) as client:
            placer = Placer(client=client, memory=memory)
            own = codec_for(placer.compression).name
            for codec, blob in zip((own, PUBLISHED), blobs, strict=True):
                await client.upload_blob(REPOSITORY, BlobBytes(blob))
                found = Remembered(
                    digest=Digest.of(blob), size=len(blob), compression=Compression.GZIP
                )
                await memory.learn(registry.host, diff_id, codec, found)
            placed = await placer.find(REPOSITORY, diff_id, (), "layer 1")
    assert placed is not None
    assert placed.delivery.digest == Digest.of(blobs[0])


async def test_blobs_of_other_packers_are_not_taken_when_a_level_is_asked_for(
    connect: Connect, tmp_path: Path
) -> None:
    layer, wanted = MemoryLayer(b"the layer" * 1000), CompressionOptions(level=9)
    assert layer.diff_id is not None
    packed = PackedLayer(gzip.compress(layer.content), layer.diff_id, Compression.GZIP)
    blob = Candidate(digest=Digest.of(gzip.compress(layer.content)))
    noted = {layer.diff_id: (blob,)}
    options = PushOptions(compression=wanted, candidates=noted)
    with closing(LayerCache(tmp_path)) as memory:
        async with faulty_registry() as registry, connect(registry.host) as client:
            first = Placer(client=client, memory=memory)
            await push(client, REPOSITORY, ["1"], MemoryImage([packed]), PushOptions(), first)
            digests = []
            for name in ("2", "3"):
                again = Placer(client=client, memory=memory, compression=wanted)
                done = await push(client, name, [name], MemoryImage([layer]), options, again)
                digests.append(done.manifest.layers[0].digest)
    assert blob.digest not in digests
    assert len(set(digests)) == 1
    assert layer.opened == 1  # what was packed at this level is taken again


async def test_a_noted_blob_that_was_found_is_remembered_with_all_places_of_it(
    connect: Connect, tmp_path: Path
) -> None:
    diff_id, blob = Digest.of(b"the layer"), b"packed by others"
    noted = Candidate(
        digest=Digest.of(blob), compression=Compression.GZIP, repositories=("team/base",)
    )
    with closing(LayerCache(tmp_path)) as memory:
        async with faulty_registry() as registry, connect(registry.host) as client:
            await client.upload_blob(REPOSITORY, BlobBytes(blob))
            placer = Placer(client=client, memory=memory)
            assert await placer.find(REPOSITORY, diff_id, (noted,), "layer 1") is not None
            found = await memory.recall(registry.host, diff_id, PUBLISHED)
            assert await placer.known.holds([diff_id])
            assert not await placer.known.holds([diff_id, Digest.of(b"another")])
    assert found is not None
    assert found.repositories == (REPOSITORY, "team/base")


async def test_a_manifest_that_does_not_fit_the_layers_teaches_nothing(
    connect: Connect, tmp_path: Path
) -> None:
    config = Descriptor.of(b"{}", DOCKER_CONFIG)
    layer = Descriptor(
        media_type=Format.DOCKER.layer_type(Compression.GZIP), digest=Digest.of(b"1"), size=1
    )
    diff_ids = [Digest.of(b"one"), Digest.of(b"two")]
    with closing(LayerCache(tmp_path)) as memory:
        async with faulty_registry() as registry, connect(registry.host) as client:
            placer = Placer(client=client, memory=memory)
            for manifest in (image_manifest(config, []), image_manifest(config, [layer])):
                await placer.known.learn_published(REPOSITORY, diff_ids, manifest)
                assert not [one for one in diff_ids if await placer.known.is_published(one)]
            await placer.known.learn_published(
                REPOSITORY, diff_ids, image_manifest(config, [layer] * 2)
            )
            assert [await placer.known.is_published(one) for one in diff_ids] == [True, True]
