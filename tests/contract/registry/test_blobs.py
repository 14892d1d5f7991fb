"""Blobs: looked for, mounted, sent in every way there is, read back, and gone."""

from __future__ import annotations

from random import Random

import aiohttp
import pytest

from longshore.errors import RegistryError
from longshore.oci.digest import Digest
from longshore.registry.limits import Limits
from longshore.registry.progress import Exists, Mounted, Progress
from longshore.registry.transport.exchange import Pieces
from longshore.registry.upload_session import begin
from longshore.testing.blob import BlobInPieces, content_of
from longshore.testing.line import CutRequests, faulty_line
from longshore.testing.registry_bench import RegistryBench

from .conftest import Connect

MEBIBYTE = 1 << 20
REPOSITORY = "team/app"
ABSENT = Digest.of(b"never pushed")


def some_bytes(size: int) -> bytes:
    return Random(size).randbytes(size)


@pytest.mark.parametrize("way", ["streamed", "stretches", "chunked"])
@pytest.mark.parametrize("size", [0, 1, 1000, 3 * MEBIBYTE + 1, 40 * MEBIBYTE])
async def test_a_blob_of_any_size_comes_back_the_same(
    bench: RegistryBench, connect: Connect, size: int, way: str
) -> None:
    blob = BlobInPieces(some_bytes(size))
    limits = Limits(chunk_size=MEBIBYTE, stretch=3 * MEBIBYTE)
    async with bench.standing() as registry, connect(registry, limits=limits) as client:
        client._line.chunking.streaming = way != "chunked"
        if way == "stretches":
            client._line.chunking.stretch = limits.stretch
        delivery = await client.upload_blob(REPOSITORY, blob)
        assert (delivery.route, delivery.digest, delivery.size) == ("sent", blob.digest, size)
        assert await client.find_blob(REPOSITORY, blob.digest) == size
        assert await content_of(client, REPOSITORY, blob.digest) == blob.content
    assert blob.opened == 1


async def test_a_blob_that_is_there_is_not_read(
    bench: RegistryBench, connect: Connect, told: list[Progress]
) -> None:
    first, again = (BlobInPieces(b"the same") for _ in range(2))
    async with bench.standing() as registry:
        async with connect(registry) as client:
            await client.upload_blob(REPOSITORY, first, digest=first.digest)
        async with connect(registry) as client:
            delivery = await client.upload_blob(REPOSITORY, again, digest=again.digest)
    assert (delivery.route, delivery.size, again.opened) == ("exists", len(b"the same"), 0)
    assert told[-1] == Exists(repository=REPOSITORY, blob=f"blob {again.digest}")


async def test_a_blob_is_mounted_from_the_first_repository_that_has_it(
    bench: RegistryBench, connect: Connect, told: list[Progress]
) -> None:
    base, blob = (BlobInPieces(b"shared") for _ in range(2))
    async with bench.standing() as registry, connect(registry) as client:
        await client.upload_blob("base/image", base)
        delivery = await client.upload_blob(
            REPOSITORY, blob, digest=blob.digest, mount_from=["nothing/here", "base/image"]
        )
        assert await content_of(client, REPOSITORY, blob.digest) == b"shared"
    assert (delivery.route, delivery.source, blob.opened) == ("mounted", "base/image", 0)
    name = f"blob {blob.digest}"
    assert told[-1] == Mounted(repository=REPOSITORY, blob=name, source="base/image")


async def test_a_mount_that_is_not_done_becomes_the_upload(
    bench: RegistryBench, connect: Connect
) -> None:
    blob = BlobInPieces(b"alone")
    async with bench.standing() as registry, connect(registry) as client:
        delivery = await client.upload_blob(
            REPOSITORY, blob, digest=blob.digest, mount_from=["nothing/here"]
        )
        assert delivery.route == "sent"
        assert await content_of(client, REPOSITORY, blob.digest) == b"alone"
        assert not await client.mount(REPOSITORY, ABSENT, "nothing/here")


async def test_an_upload_is_resumed_where_the_registry_says(
    bench: RegistryBench, connect: Connect
) -> None:
    """As another request would after a break: what has arrived is asked for, not remembered."""
    blob = some_bytes(3 * MEBIBYTE)
    async with bench.standing() as registry, connect(registry) as client:
        session = await begin(client._pushing(REPOSITORY), "a blob")
        assert await session.received() == 0
        first = await session.append(Pieces((blob[:MEBIBYTE],)), 0)
        assert (first.status, await session.received()) == (202, MEBIBYTE)
        await session.append(Pieces((blob[MEBIBYTE:],)), MEBIBYTE)
        assert (await session.commit(Digest.of(blob))).status == 201
        assert await content_of(client, REPOSITORY, Digest.of(blob)) == blob


async def test_a_line_that_breaks_at_any_byte_brings_the_whole_blob_in_the_end(
    bench: RegistryBench, connect: Connect
) -> None:
    blob = BlobInPieces(some_bytes(4 * MEBIBYTE))
    random = Random(5)
    cuts = [CutRequests(after=random.randrange(200, 3 * MEBIBYTE)) for _ in range(6)]
    async with bench.standing() as registry:
        async with (
            faulty_line(registry.host, lambda: cuts.pop() if cuts else None) as line,
            connect(line.host, limits=Limits(retries=20)) as client,
        ):
            delivery = await client.upload_blob(REPOSITORY, blob)
        async with connect(registry) as client:
            assert await content_of(client, REPOSITORY, blob.digest) == blob.content
    assert delivery.resumed or delivery.restarts


async def test_a_session_that_was_given_up_is_gone(bench: RegistryBench, connect: Connect) -> None:
    async with bench.standing() as registry, connect(registry) as client:
        session = await begin(client._pushing(REPOSITORY), "a blob")
        await session.append(Pieces((b"some",)), 0)
        await session.cancel()
        assert (await session.append(Pieces((b"more",)), 4)).status == 404


async def test_content_of_another_digest_is_refused_and_not_kept(
    bench: RegistryBench, connect: Connect, real: bool
) -> None:
    damaged = BlobInPieces(some_bytes(MEBIBYTE), digest=ABSENT)
    async with bench.standing() as registry, connect(registry) as client:
        with pytest.raises(RegistryError) as caught:
            await client.upload_blob(REPOSITORY, damaged, name="layer 1 of 2")
        assert not await client.blob_exists(REPOSITORY, ABSENT)
        assert not await client.blob_exists(REPOSITORY, Digest.of(damaged.content))
    detail = (
        f'{{"Digest": "{ABSENT}", "Reason": {{}}}}'
        if real
        else f"{ABSENT} was announced, but the upload is {Digest.of(damaged.content)}"
    )
    assert caught.value.message == (
        f"{registry.host} refused layer 1 of 2 of {REPOSITORY}: DIGEST_INVALID: provided digest "
        f"did not match uploaded content ({detail}) (HTTP 400 Bad Request)"
    )
    assert caught.value.hint == (
        f"the bytes changed on their way to {registry.host}, or while they were read; push again, "
        "and if it happens again look at what stands between: a proxy, memory, a disk"
    )


async def test_what_is_nowhere_is_not_there_and_cannot_be_read(
    bench: RegistryBench, connect: Connect, real: bool
) -> None:
    async with bench.standing() as registry, connect(registry) as client:
        assert not await client.blob_exists("no/such", ABSENT)
        with pytest.raises(RegistryError) as caught:
            await content_of(client, "no/such", ABSENT)
    detail = str(ABSENT) if real else f'{{"digest": "{ABSENT}"}}'
    assert caught.value.message == (
        f"{registry.host} refused blob {ABSENT} of no/such: BLOB_UNKNOWN: blob unknown to registry "
        f"({detail}) (HTTP 404 Not Found)"
    )
    assert caught.value.hint == "check the name no/such; some registries want it created first"


async def test_a_blob_that_was_deleted_is_sent_again(
    bench: RegistryBench, connect: Connect
) -> None:
    blob = BlobInPieces(b"come and gone")
    async with bench.standing() as registry:
        async with connect(registry) as client:
            await client.upload_blob(REPOSITORY, blob, digest=blob.digest)
        async with aiohttp.ClientSession() as http:
            url = f"{registry.url}/v2/{REPOSITORY}/blobs/{blob.digest}"
            assert (await http.delete(url)).status == 202
        async with connect(registry) as client:
            assert not await client.blob_exists(REPOSITORY, blob.digest)
            delivery = await client.upload_blob(REPOSITORY, blob, digest=blob.digest)
            assert await content_of(client, REPOSITORY, blob.digest) == b"come and gone"
    assert delivery.route == "sent"
