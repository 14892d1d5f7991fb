"""What breaks on the way: resumed, begun again, waited for, or given up with reasons."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import ClassVar

import anyio
import pytest

from longshore.errors import ContentMismatch, RegistryError, RegistryUnavailable
from longshore.registry.limits import Limits
from longshore.registry.progress import Progress, Restarted, Waiting
from longshore.testing.blob import BlobInPieces, content_of
from longshore.testing.faults import (
    Answer,
    AnswerEarly,
    Corrupt,
    LoseUpload,
    ResetRequest,
    ResetResponse,
    Script,
    Truncate,
    on,
)
from longshore.testing.registry import faulty_registry

from .conftest import Connect, MakeBytes, MakeStream, of

MEBIBYTE = 1 << 20
PIECE = Answer(status=400, message="a piece of a blob")
REPOSITORY = "team/app"


class TestBreaks:
    @pytest.mark.parametrize("after", [1, 700_000, 3_000_000])
    async def test_an_upload_goes_on_where_the_registry_is(
        self,
        connect: Connect,
        stream: MakeStream,
        some_bytes: MakeBytes,
        told: list[Progress],
        after: int,
    ) -> None:
        blob = some_bytes(4 * MEBIBYTE)
        plan = Script([on("PATCH upload", ResetRequest(after=after))])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob
            assert delivery.resumed == (after,)
            assert registry.received <= len(blob) + after

    async def test_breaks_in_every_chunk_are_mended_with_smaller_chunks(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(8 * MEBIBYTE)
        plan = Script([on("PATCH upload", ResetRequest(after=900_000), times=7)])
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=Limits(retries=3)) as client,
        ):
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob
        assert len(delivery.resumed) == 7
        assert delivery.restarts == 0

    async def test_bytes_that_left_the_window_are_read_again_from_zero(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        """The registry kept nothing of a stream that was longer than the window."""
        blob = some_bytes(6 * MEBIBYTE)
        rules = [
            on("PATCH upload", ResetRequest(after=5 * MEBIBYTE)),
            on("GET upload", Answer(status=404)),
        ]
        async with (
            faulty_registry(plan=Script(rules)) as registry,
            connect(registry.host, limits=Limits(chunk_size=MEBIBYTE)) as client,
        ):
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob
        assert (delivery.restarts, len(of(told, Restarted))) == (1, 1)

    @pytest.mark.parametrize("status", [400, 404, 405, 416, 501])
    async def test_an_upload_whose_state_cannot_be_had_is_begun_again(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, status: int
    ) -> None:
        blob = some_bytes(2 * MEBIBYTE)
        rules = [
            on("PATCH upload", ResetRequest(after=MEBIBYTE)),
            on("GET upload", Answer(status=status)),
        ]
        async with (
            faulty_registry(plan=Script(rules)) as registry,
            connect(registry.host) as client,
        ):
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob
        assert delivery.restarts == 1

    async def test_a_source_is_closed_before_it_is_opened_again(
        self, connect: Connect, some_bytes: MakeBytes
    ) -> None:
        class Watched(BlobInPieces):
            at_once: ClassVar = [0]

            @asynccontextmanager
            async def open(self) -> AsyncIterator[BlobInPieces]:
                self.at_once.append(self.at_once[-1] + 1)
                async with super().open() as stream:
                    yield stream
                self.at_once.append(self.at_once[-1] - 1)

        blob = Watched(some_bytes(4 * MEBIBYTE))
        rules = [
            on("PATCH upload", ResetRequest(after=3 * MEBIBYTE)),
            on("GET upload", Answer(status=404)),
        ]
        async with (
            faulty_registry(plan=Script(rules)) as registry,
            connect(registry.host, limits=Limits(chunk_size=MEBIBYTE)) as client,
        ):
            delivery = await client.upload_blob(REPOSITORY, blob)
            assert await client.blob_exists(REPOSITORY, delivery.digest)
        assert blob.at_once == [0, 1, 0, 1, 0]

    async def test_a_stream_that_was_taken_before_its_end_is_not_gone_on_with_in_pieces(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(8 * MEBIBYTE)
        plan = Script([on("PATCH upload", AnswerEarly(answer=Answer(status=202)))])
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=Limits(chunk_size=MEBIBYTE)) as client,
        ):
            client._line.chunking.whole = True
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            story = ["DELETE 204", "POST 202", "PATCH 202", "PUT 201"]
            assert registry.story == ["GET 200", "POST 202", "PATCH 202", *story]
            assert await content_of(client, REPOSITORY, delivery.digest) == blob

    async def test_a_stream_that_is_begun_again_leaves_no_session_behind(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        """Where no pieces are taken nobody asks how far it came."""
        blob = some_bytes(2 * MEBIBYTE)
        plan = Script([on("PATCH upload", Answer(status=503))])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            client._line.chunking.whole = True
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            story = ["HEAD 404", "DELETE 204", "POST 202", "PATCH 202", "PUT 201"]
            assert registry.story == ["GET 200", "POST 202", "PATCH 503", *story]
        assert delivery.restarts == 1

    async def test_a_stream_begun_again_because_pieces_are_refused_leaves_no_session_behind(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        plan = Script([on("PATCH upload", Answer(status=503)), on("PATCH upload", PIECE, times=3)])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            await client.upload_blob(REPOSITORY, stream(some_bytes(2 * MEBIBYTE)))
            assert len(registry.requests("POST")) == 1 + len(registry.requests("DELETE"))
            assert client._line.chunking.whole

    async def test_pieces_that_are_refused_now_and_then_are_not_given_up(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        """Two in a row would say that this registry takes none."""
        blob = some_bytes(8 * MEBIBYTE)
        cut = on("PATCH upload", ResetRequest(after=MEBIBYTE), times=2)
        refused = [on("PATCH upload", PIECE, first=number) for number in (3, 5)]
        async with (
            faulty_registry(plan=Script([cut, *refused])) as registry,
            connect(registry.host, limits=Limits(chunk_size=8 * MEBIBYTE)) as client,
        ):
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert registry.story.count("PATCH 400") == 2
            assert not client._line.chunking.whole
        assert delivery.restarts == 0

    async def test_a_place_that_stays_unclear_is_left_for_a_new_upload(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        """A Range of 0-0 stands for no byte and for one; here the registry takes neither."""
        rules = [
            on("PATCH upload", ResetRequest(after=1)),
            on("PATCH upload", Answer(status=416), first=2, times=2),
        ]
        async with (
            faulty_registry(plan=Script(rules)) as registry,
            connect(registry.host) as client,
        ):
            client._line.chunking.streaming = False
            delivery = await client.upload_blob(REPOSITORY, stream(some_bytes(MEBIBYTE)))
        assert delivery.restarts == 1

    async def test_an_answer_lost_after_the_commit_is_found_out(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(2 * MEBIBYTE)
        plan = Script([on("PUT upload", ResetResponse())])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            await client.upload_blob(REPOSITORY, stream(blob))
            assert registry.received == len(blob)
            assert registry.story[-2:] == ["PUT None", "HEAD 200"]

    async def test_a_lost_session_is_begun_again_once(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        blob = some_bytes(2 * MEBIBYTE)
        plan = Script([on("PATCH upload", LoseUpload())])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob
        (event,) = of(told, Restarted)
        assert "BLOB_UPLOAD_UNKNOWN" in str(event)

    async def test_sessions_lost_again_and_again_are_an_error_about_the_setup(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        plan = Script([on("PATCH upload", LoseUpload(), times=None)])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            with pytest.raises(RegistryError, match="BLOB_UPLOAD_UNKNOWN") as caught:
                await client.upload_blob(REPOSITORY, stream(some_bytes(2 * MEBIBYTE)))
            assert "load balancer" in str(caught.value.hint)
            assert registry.requests("POST").__len__() == 2

    async def test_retry_after_holds_the_whole_client_back(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        plan = Script([on("POST uploads", Answer(status=429, retry_after="42"))])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            await client.upload_blob(REPOSITORY, stream(some_bytes(10)))
        (event,) = of(told, Waiting)
        assert isinstance(event, Waiting)
        assert (event.seconds, event.reason[:3]) == (42, "429")

    async def test_a_date_in_retry_after_is_obeyed_whatever_our_clock_says(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        """The client's clock is in 1970; the registry's answers have a Date header."""
        soon = format_datetime(datetime.now(UTC) + timedelta(seconds=42), usegmt=True)
        plan = Script([on("POST uploads", Answer(status=429, retry_after=soon))])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            await client.upload_blob(REPOSITORY, stream(some_bytes(10)))
        (event,) = of(told, Waiting)
        assert isinstance(event, Waiting)
        assert 35 <= event.seconds <= 42

    async def test_a_registry_that_never_recovers_is_given_up_with_its_own_words(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        plan = Script([on("PATCH upload", Answer(status=502), times=None)])
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=Limits(retries=2)) as client,
        ):
            with pytest.raises(RegistryUnavailable, match=r"502 Bad Gateway.*3 attempts"):
                await client.upload_blob(REPOSITORY, stream(some_bytes(2 * MEBIBYTE)))
            assert registry.story[-1].startswith("DELETE")

    async def test_a_broken_download_goes_on_at_the_byte_it_reached(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(3 * MEBIBYTE)
        async with faulty_registry() as registry, connect(registry.host) as client:
            digest = (await client.upload_blob(REPOSITORY, stream(blob))).digest
            registry.plan = Script([on("GET blob", Truncate(after=MEBIBYTE))])
            assert await content_of(client, REPOSITORY, digest) == blob
            assert registry.recorded[-1].headers["Range"] == f"bytes={MEBIBYTE}-"

    async def test_changed_bytes_are_an_error(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        async with faulty_registry() as registry, connect(registry.host) as client:
            digest = (await client.upload_blob(REPOSITORY, stream(some_bytes(1000)))).digest
            registry.plan = Script([on("GET blob", Corrupt())])
            with pytest.raises(ContentMismatch):
                await content_of(client, REPOSITORY, digest)

    async def test_nobody_listening_is_told_at_once(self, connect: Connect) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            host = f"127.0.0.1:{server.getsockname()[1]}"
        async with connect(host) as client:
            with pytest.raises(RegistryUnavailable) as caught:
                await client.ping()
        assert caught.value.message == (
            f"{host}: the registry's API: no connection (connection refused) "
            "(gave up after 1 attempt)"
        )
        assert caught.value.hint == f"check that something answers at {host}"

    async def test_a_hanging_registry_is_cut_off_at_the_deadline(
        self, connect: Connect, stream: MakeStream
    ) -> None:
        async def hang(_: float) -> None:
            await anyio.sleep_forever()

        async def swallow(server: anyio.abc.SocketStream) -> None:
            async with server:
                await anyio.sleep_forever()

        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, swallow)
            async with connect(f"127.0.0.1:{port}", limits=Limits(deadline=0.3)) as client:
                with pytest.raises(
                    RegistryUnavailable, match=r"did not finish with team/app within 0\.3 s"
                ):
                    await client.upload_blob(REPOSITORY, stream(b"x"))
            async with connect(f"127.0.0.1:{port}", limits=Limits(idle=0.05, retries=1)) as client:
                with pytest.raises(RegistryUnavailable, match=r"no byte moved for 0\.05 s"):
                    await client.ping()
            tasks.cancel_scope.cancel()
