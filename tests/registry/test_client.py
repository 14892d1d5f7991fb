"""What the client sends where nothing fails: requests, sizes of chunks, and how it stops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from longshore.errors import (
    ContentMismatch,
    InvalidValue,
    RegistryError,
)
from longshore.oci.digest import Digest
from longshore.registry.blobs import BlobBytes, BlobStream
from longshore.registry.limits import Limits
from longshore.registry.progress import (
    ChunkSized,
    Progress,
)
from longshore.registry.transport.exchange import Buffer
from longshore.testing.blob import content_of
from longshore.testing.faults import (
    Answer,
    BodyLimit,
    Script,
    on,
)
from longshore.testing.registry import faulty_registry

from .conftest import Connect, MakeBytes, MakeStream, of

MEBIBYTE = 1 << 20
REPOSITORY = "team/app"


class _Generated:
    """A blob whose bytes a generator makes; its end is never reached."""

    digest = Digest.of(b"")
    size = 0

    def __init__(self, pieces: AsyncIterator[Buffer]) -> None:
        self._pieces = pieces

    @asynccontextmanager
    async def open(self) -> AsyncIterator[BlobStream]:
        yield self

    def __aiter__(self) -> AsyncIterator[Buffer]:
        return self._pieces


class TestWithoutFaults:
    async def test_a_large_blob_streams_in_one_patch(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(3 * MEBIBYTE)
        async with faulty_registry() as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert (delivery.digest, delivery.size, delivery.route) == (
                Digest.of(blob),
                len(blob),
                "sent",
            )
            assert registry.story == ["GET 200", "POST 202", "PATCH 202", "PUT 201"]
            assert registry.recorded[2].headers["Transfer-Encoding"] == "chunked"
            assert await content_of(client, REPOSITORY, delivery.digest) == blob

    @pytest.mark.parametrize("size", [0, 1, 100_000])
    async def test_a_small_blob_goes_with_the_put(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, size: int
    ) -> None:
        blob = some_bytes(size)
        async with faulty_registry() as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert registry.story == ["GET 200", "POST 202", "PUT 201"]
            assert await content_of(client, REPOSITORY, delivery.digest) == blob

    async def test_the_session_of_a_mount_that_is_not_done_takes_the_upload(
        self, connect: Connect
    ) -> None:
        config = BlobBytes(b"{}")
        async with faulty_registry() as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(
                REPOSITORY, config, digest=config.digest, mount_from=["nothing/here"]
            )
            assert delivery.route == "sent"
            assert registry.story == ["GET 200", "HEAD 404", "POST 202", "PUT 201"]

    async def test_a_session_begun_by_a_mount_is_ended_when_another_mount_is_tried(
        self, connect: Connect
    ) -> None:
        config = BlobBytes(b"{}")
        async with faulty_registry() as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(
                REPOSITORY, config, digest=config.digest, mount_from=["nothing/here", "nor/here"]
            )
            assert delivery.route == "sent"
            story = ["HEAD 404", "POST 202", "DELETE 204", "POST 202", "PUT 201"]
            assert registry.story == ["GET 200", *story]

    async def test_a_blob_wanted_ten_times_at_once_is_sent_once(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(MEBIBYTE)
        async with faulty_registry() as registry, connect(registry.host) as client:
            async with anyio.create_task_group() as tasks:
                for _ in range(10):
                    tasks.start_soon(
                        lambda: client.upload_blob(REPOSITORY, stream(blob), digest=Digest.of(blob))
                    )
            assert registry.received == len(blob)

    async def test_a_name_that_is_no_repository_is_never_sent(self, connect: Connect) -> None:
        async with faulty_registry() as registry, connect(registry.host) as client:
            with pytest.raises(InvalidValue):
                await client.tags("../../etc")
            assert registry.recorded == []


class TestSizes:
    async def test_413_to_a_stream_lowers_the_chunks_until_they_fit_and_tells_why(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        blob = some_bytes(5 * MEBIBYTE)
        plan = Script([on("PATCH,PUT upload", BodyLimit(limit=1_000_000), times=None)])
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=Limits(chunk_size=2 * MEBIBYTE)) as client,
        ):
            client._line.chunking.streaming = False
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob
        (event,) = of(told, ChunkSized)
        assert isinstance(event, ChunkSized)
        assert event.size == MEBIBYTE // 2
        assert "413" in str(event)

    async def test_413_in_the_middle_of_a_stream_is_mended_the_same_way(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        blob = some_bytes(5 * MEBIBYTE)
        plan = Script([on("PATCH upload", Answer(status=413))])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob
        assert len(of(told, ChunkSized)) == 1

    async def test_a_proxy_that_takes_nothing_is_an_error_and_no_endless_loop(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        plan = Script([on("PATCH,PUT upload", BodyLimit(limit=10), times=None)])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            with pytest.raises(RegistryError, match="413") as caught:
                await client.upload_blob(REPOSITORY, stream(some_bytes(MEBIBYTE)))
        assert caught.value.hint == (
            f"{registry.host}, or a proxy before it, limits the size of requests too tightly; "
            "its owner has to raise that (nginx: client_max_body_size)"
        )

    async def test_a_small_blob_that_is_too_large_for_one_request_goes_in_chunks(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(300_000)
        plan = Script([on("PATCH,PUT upload", BodyLimit(limit=100_000), times=None)])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            with anyio.fail_after(10):
                delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob

    @pytest.mark.parametrize("status", [307, 308, 400, 405, 411, 501, 505])
    async def test_a_server_that_wants_lengths_gets_chunks_from_then_on(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, status: int
    ) -> None:
        blobs = [some_bytes(2 * MEBIBYTE, seed) for seed in (1, 2)]
        plan = Script([on("PATCH upload", Answer(status=status))])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            for blob in blobs:
                delivery = await client.upload_blob(REPOSITORY, stream(blob))
                assert await content_of(client, REPOSITORY, delivery.digest) == blob
            ranges = [one.headers.get("Content-Range") for one in registry.requests("PATCH")]
        assert ranges == [None, *[f"0-{2 * MEBIBYTE - 1}"] * 2]


class TestStops:
    async def test_a_cancelled_upload_is_deleted_at_the_registry(self, connect: Connect) -> None:
        async def endless() -> AsyncIterator[Buffer]:
            for _ in range(3):
                yield bytes(MEBIBYTE)
            scope.cancel()
            await anyio.sleep_forever()

        async with faulty_registry() as registry, connect(registry.host) as client:
            with anyio.CancelScope() as scope:
                await client.upload_blob(REPOSITORY, _Generated(endless()))
            assert scope.cancelled_caught
            assert registry.requests("DELETE")[0].status == 204

    async def test_an_error_of_the_source_comes_out_as_it_is(self, connect: Connect) -> None:
        async def failing() -> AsyncIterator[Buffer]:
            yield bytes(MEBIBYTE)
            raise ContentMismatch("the layer is not what it was")

        async with faulty_registry() as registry, connect(registry.host) as client:
            with pytest.raises(ContentMismatch, match="not what it was"):
                await client.upload_blob(REPOSITORY, _Generated(failing()))
            assert len(registry.requests("DELETE")) == 1
