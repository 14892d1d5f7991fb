"""What the client sends where nothing fails: requests, sizes of chunks, and how it stops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import ref

import anyio
import pytest

from longshore.errors import (
    ContentMismatch,
    InvalidValue,
    RegistryError,
    RegistryUnavailable,
)
from longshore.oci.digest import Digest
from longshore.registry.blobs import BlobBytes, BlobStream
from longshore.registry.limits import Limits
from longshore.registry.progress import (
    ChunkSized,
    Progress,
)
from longshore.registry.server.refusals import Code
from longshore.registry.transport.exchange import Buffer
from longshore.testing.blob import BlobInPieces, content_of
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

    async def test_the_session_of_one_more_mount_takes_the_next_upload(
        self, connect: Connect
    ) -> None:
        config = BlobBytes(b"{}")
        async with faulty_registry() as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(
                REPOSITORY, config, digest=config.digest, mount_from=["nothing/here", "nor/here"]
            )
            await client.upload_blob(REPOSITORY, BlobBytes(b"[]"))
            assert delivery.route == "sent"
        story = ["HEAD 404", "POST 202", "POST 202", "PUT 201", "PUT 201"]
        assert registry.story == ["GET 200", *story]

    async def test_a_session_that_nobody_needed_is_ended_with_the_client(
        self, connect: Connect
    ) -> None:
        async with faulty_registry() as registry:
            async with connect(registry.host) as client:
                absent = BlobBytes(b"{}").digest
                assert not await client.mount(REPOSITORY, absent, "nothing/here")
                await client.upload_blob("another/place", BlobBytes(b"[]"))
            assert registry.story == ["GET 200", "POST 202", "POST 202", "PUT 201", "DELETE 204"]

    async def test_a_session_that_nobody_needed_is_ended_also_when_cancelled(
        self, connect: Connect
    ) -> None:
        async with faulty_registry() as registry:
            with anyio.CancelScope() as scope:
                async with connect(registry.host) as client:
                    await client.mount(REPOSITORY, BlobBytes(b"{}").digest, "nothing/here")
                    scope.cancel()
                    await anyio.sleep_forever()
            assert registry.story == ["GET 200", "POST 202", "DELETE 204"]

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
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob
            await client.upload_blob(REPOSITORY, stream(some_bytes(2 * MEBIBYTE, 2)))
            streamed = ["Transfer-Encoding" in one.headers for one in registry.requests("PATCH")]
        (event,) = of(told, ChunkSized)
        assert isinstance(event, ChunkSized)
        # A quarter of what had been sent by then, and of a chunk at most.
        assert 250_000 <= event.size <= MEBIBYTE // 2
        assert "413" in str(event)
        assert streamed.index(False) == sum(streamed) == 1

    async def test_413_to_a_chunk_lowers_the_chunks_until_they_fit(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        blob = some_bytes(5 * MEBIBYTE)
        plan = Script([on("PATCH,PUT upload", BodyLimit(limit=100_000), times=None)])
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=Limits(chunk_size=2 * MEBIBYTE)) as client,
        ):
            client._line.chunking.streaming = False
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob
        sizes = [event.size >> 10 for event in told if isinstance(event, ChunkSized)]
        assert sizes == [512, 128, 64]

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


class _Piece(bytearray):
    """A piece of which can be told whether anybody has it still."""


class _Counted(BlobInPieces):
    """Counts how many of its pieces there are at a time, at `most`."""

    def __init__(self, content: bytes, piece: int) -> None:
        super().__init__(content, piece)
        self.most = 0

    async def __aiter__(self) -> AsyncIterator[Buffer]:
        pieces: list[ref[_Piece]] = []
        for begin in range(0, self.size, self.piece):
            piece = _Piece(self.content[begin : begin + self.piece])
            pieces.append(ref(piece))
            yield piece
            del piece
            self.most = max(self.most, sum(one() is not None for one in pieces))


class TestMemory:
    async def test_of_a_stream_no_more_is_kept_than_a_chunk_and_some_pieces(
        self, connect: Connect, some_bytes: MakeBytes
    ) -> None:
        size = 64 << 10
        blob = _Counted(some_bytes(128 * size), size)
        async with (
            faulty_registry() as registry,
            connect(registry.host, limits=Limits(chunk_size=8 * size)) as client,
        ):
            await client.upload_blob(REPOSITORY, blob)
            assert registry.story == ["GET 200", "POST 202", "PATCH 202", "PUT 201"]
        assert 8 <= blob.most <= 20


class TestMounts:
    async def test_a_registry_that_is_away_is_not_asked_for_less(self, connect: Connect) -> None:
        """To send a blob to one that cannot even mount it would take longer to fail."""
        config = BlobBytes(b"{}")
        plan = Script([on("POST uploads", Answer(status=503), path="mount=", times=None)])
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=Limits(retries=2)) as client,
        ):
            with pytest.raises(RegistryUnavailable, match="503"):
                await client.upload_blob(
                    REPOSITORY, config, digest=config.digest, mount_from=["base/image"]
                )
            assert all("mount=" in one.path for one in registry.requests("POST"))

    async def test_a_blob_that_cannot_be_mounted_does_not_keep_others_from_it(
        self, connect: Connect
    ) -> None:
        blobs = [BlobBytes(b"%d" % number) for number in range(3)]
        unknown = Answer(status=404, code=Code.BLOB_UNKNOWN, message="blob unknown to registry")
        async with faulty_registry() as registry, connect(registry.host) as client:
            for blob in blobs:
                await client.upload_blob("base/image", blob)
            registry.plan = Script([on("POST uploads", unknown, path="mount=")])
            deliveries = [
                await client.upload_blob(
                    REPOSITORY, blob, digest=blob.digest, mount_from=["base/image"]
                )
                for blob in blobs
            ]
        assert [one.route for one in deliveries] == ["sent", "mounted", "mounted"]


class TestStops:
    async def test_an_upload_that_is_cancelled_while_its_source_opens_is_deleted(
        self, connect: Connect
    ) -> None:
        class Opening:
            @asynccontextmanager
            async def open(self) -> AsyncIterator[BlobStream]:
                scope.cancel()
                await anyio.sleep_forever()
                yield BlobBytes(b"")

        async with faulty_registry() as registry, connect(registry.host) as client:
            with anyio.CancelScope() as scope:
                await client.upload_blob(REPOSITORY, Opening())
            assert scope.cancelled_caught
            assert registry.story == ["GET 200", "POST 202", "DELETE 204"]

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
