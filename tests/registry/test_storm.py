"""Many pushes through every fault at once: each ends with the right digest or a clear error."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from random import Random

import anyio
import pytest

from longshore.errors import RegistryError
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_manifest
from longshore.oci.media_types import DOCKER_CONFIG, DOCKER_LAYER
from longshore.registry.blobs import BlobBytes, BlobSource
from longshore.registry.client import RegistryClient
from longshore.registry.limits import Limits
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.faults import (
    STORM,
    Answer,
    BodyLimit,
    Drip,
    Fault,
    LocationElsewhere,
    WrongDigest,
    seeded_faults,
)
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import TokenAuth

Connect = Callable[..., RegistryClient]
MakeStream = Callable[..., BlobSource]
PUSHES = int(os.environ.get("LONGSHORE_STORM_PUSHES", "60"))
MEBIBYTE = 1 << 20
BOB = Credential(username="bob", password=Secret("pw-of-bob"), origin="the tests")
FAULTS: tuple[Fault, ...] = (
    *STORM,
    Answer(status=429, retry_after="3"),
    Answer(status=503, retry_after="Mon, 01 Jan 1990 00:00:00 GMT"),
    BodyLimit(limit=1_000_000),
    WrongDigest(),
    Drip(size=200, pause=0),
)


async def _push(client: RegistryClient, repository: str, layer: BlobSource) -> Manifest:
    config = BlobBytes(repository.encode())
    sent = await client.upload_blob(repository, layer)
    await client.upload_blob(repository, config, digest=config.digest)
    manifest = image_manifest(
        Descriptor.of(config.content, DOCKER_CONFIG),
        [Descriptor(media_type=DOCKER_LAYER, digest=sent.digest, size=sent.size)],
    )
    await client.put_manifest(repository, "t", manifest)
    return manifest


@pytest.mark.parametrize("rate", [0.1, 0.3])
async def test_every_push_is_right_or_a_clear_error(
    connect: Connect, stream: MakeStream, rate: float
) -> None:
    succeeded = 0
    async with (
        faulty_registry(auth=TokenAuth(users={"bob": "pw-of-bob"})) as registry,
        faulty_registry(storage=registry.storage) as other,
    ):
        faults = (*FAULTS, LocationElsewhere(base=other.url))
        for seed in range(PUSHES):
            registry.plan = seeded_faults(seed, rate, faults=faults)
            random = Random(seed)
            layer = random.randbytes(random.choice((100, 700_000, 2_500_000)))
            repository = f"storm/app{seed}"
            limits = Limits(chunk_size=random.choice((256 * 1024, 4 * MEBIBYTE)), retries=8)
            manifest: Manifest | None = None
            refused: RegistryError | None = None
            with anyio.fail_after(30):
                async with connect(registry.host, credential=BOB, limits=limits) as client:
                    try:
                        manifest = await _push(client, repository, stream(layer))
                    except RegistryError as error:
                        refused = error
            assert refused is None or registry.host in refused.message
            registry.plan = seeded_faults(seed, 0)
            async with connect(registry.host, credential=BOB) as client:
                there = await client.head_manifest(repository, "t")
                if manifest is not None:
                    succeeded += 1
                    assert there == manifest.digest
                    async with client.get_blob(repository, Digest.of(layer)) as data:
                        assert b"".join([piece async for piece in data]) == layer
        assert not [record for record in other.recorded if record.authorization]
    # Most of what happens here is what a client recovers from.
    assert succeeded >= PUSHES * (0.9 if rate < 0.2 else 0.6)


@pytest.mark.registry
async def test_a_line_that_breaks_at_random_before_the_real_registry(
    real_registry: Callable[..., AbstractAsyncContextManager[str]],
    breaking_line: Callable[..., AbstractAsyncContextManager[str]],
    connect: Connect,
    stream: MakeStream,
) -> None:
    random = Random(11)

    def next_limit() -> int | None:
        return random.randrange(1, 2 * MEBIBYTE) if random.random() < 0.4 else None

    async with real_registry() as host:
        for seed in range(PUSHES // 2):
            layer = Random(seed).randbytes(1_500_000)
            async with (
                breaking_line(host, next_limit) as line,
                connect(line, limits=Limits(retries=12)) as client,
            ):
                with anyio.fail_after(30):
                    manifest = await _push(client, f"line/app{seed}", stream(layer))
            async with connect(host) as client:
                assert await client.head_manifest(f"line/app{seed}", "t") == manifest.digest
                async with client.get_blob(f"line/app{seed}", Digest.of(layer)) as data:
                    assert b"".join([piece async for piece in data]) == layer
