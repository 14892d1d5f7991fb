"""Layers that are not for distribution (OCI image spec, ``layer.md``): Windows' base, for one."""

from __future__ import annotations

import gzip
import json

import pytest
from msgspec.structs import replace

from longshore.errors import UsageError
from longshore.image.compression import CompressionOptions
from longshore.image.files import FileImage
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import image_manifest
from longshore.oci.media_types import Compression, Format
from longshore.oci.reference import ImageReference
from longshore.registry.push import PushOptions, push
from longshore.registry.receipt import Receipt
from longshore.testing.registry import faulty_registry
from longshore.testing.stored import MemoryImage, PackedLayer

from .conftest import Connect

REPOSITORY = "team/app"
URLS = ("https://example.com/base",)
DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
OCI_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
ZSTD = PushOptions(compression=CompressionOptions(compression=Compression.ZSTD), repack=True)


def _layer(content: bytes) -> PackedLayer:
    return PackedLayer(gzip.compress(content), Digest.of(content), Compression.GZIP)


def _image(media_type: str, urls: tuple[str, ...] = URLS) -> FileImage:
    """A foreign layer and an ordinary one, as a layout of both gives them."""
    base, top = _layer(b"base"), _layer(b"top")
    assert base.packed is not None
    assert top.packed is not None
    base.packed = replace(base.packed, media_type=media_type, urls=urls)
    parts = replace(MemoryImage([base, top]).parts, format=Format.OCI)
    config = Descriptor.of(parts.config, Format.OCI.config_type)
    manifest = image_manifest(config, [base.packed, top.packed], fmt=Format.OCI)
    return FileImage(parts=parts, layers=(base, top), manifest=manifest)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (PushOptions(verify=True), OCI_FOREIGN),
        (PushOptions(format=Format.DOCKER), DOCKER_FOREIGN),
        (ZSTD, OCI_FOREIGN),
    ],
)
async def test_a_foreign_layer_keeps_type_and_urls_and_is_neither_read_nor_sent(
    connect: Connect, options: PushOptions, kept: str
) -> None:
    image = _image(OCI_FOREIGN)
    base = image.layers[0]
    assert isinstance(base, PackedLayer)
    assert base.packed is not None
    async with faulty_registry() as registry, connect(registry.host) as client:
        pushed = await push(client, REPOSITORY, ["1"], image, options)
        again = await push(client, REPOSITORY, ["1"], image, options)
        assert not await client.blob_exists(REPOSITORY, base.packed.digest)
    assert pushed.manifest.layers[0] == replace(base.packed, media_type=kept)
    assert base.opened == 0
    assert (again.manifest, again.deliveries) == (pushed.manifest, ())


async def test_a_foreign_layer_of_a_docker_manifest_keeps_docker_s_type(connect: Connect) -> None:
    async with faulty_registry() as registry, connect(registry.host) as client:
        options = PushOptions(format=Format.DOCKER)
        pushed = await push(client, REPOSITORY, ["1"], _image(DOCKER_FOREIGN), options)
    assert pushed.manifest.layers[0].media_type == DOCKER_FOREIGN


async def test_a_foreign_layer_that_names_no_place_is_sent_and_not_packed_anew(
    connect: Connect,
) -> None:
    """Nobody could have it else; registries ask for its blob (distribution, ocimanifesthandler)."""
    image = _image(OCI_FOREIGN, urls=())
    async with faulty_registry() as registry, connect(registry.host) as client:
        pushed = await push(client, REPOSITORY, ["1"], image, ZSTD)
        assert await client.blob_exists(REPOSITORY, pushed.manifest.layers[0].digest)
    assert pushed.manifest.layers[0] == image.layers[0].packed


async def test_a_foreign_layer_in_zstd_is_refused_in_a_manifest_that_cannot_say_so(
    connect: Connect,
) -> None:
    image = _image(OCI_FOREIGN.replace("gzip", "zstd"))
    async with faulty_registry() as registry, connect(registry.host) as client:
        with pytest.raises(UsageError, match="packed with zstd") as caught:
            await push(client, REPOSITORY, ["1"], image, PushOptions(format=Format.DOCKER))
    assert caught.value.hint == "push it with --format oci"


def test_a_receipt_tells_that_a_foreign_layer_is_elsewhere() -> None:
    image = _image(OCI_FOREIGN)
    assert image.manifest is not None
    receipt = Receipt(
        image="app",
        targets=(ImageReference.parse("localhost:5000/team/app:1"),),
        digest=str(image.manifest.digest),
        manifest=image.manifest,
        route="OCI layout",
        seconds=0.0,
    )
    assert receipt.summary.startswith("(0 layers sent, 1 existing, 1 elsewhere, ")
    layers = json.loads(json.dumps(receipt.document()))["layers"]
    assert [layer["route"] for layer in layers] == ["elsewhere", "exists"]
