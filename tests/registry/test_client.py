"""The client against a registry that fails on demand: what is sent, resumed, told, kept secret."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import pytest

from longshore.errors import (
    ContentMismatch,
    InvalidValue,
    RegistryDenied,
    RegistryError,
    RegistryUnavailable,
)
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_manifest
from longshore.oci.media_types import DOCKER_CONFIG
from longshore.registry.blobs import BlobBytes, BlobSource, BlobStream
from longshore.registry.client import RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.progress import (
    ChunkSized,
    Progress,
    Restarted,
    Waiting,
)
from longshore.registry.transport.exchange import Buffer
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.faults import (
    FORBIDDEN,
    Answer,
    BodyLimit,
    Corrupt,
    ExpireTokens,
    Fault,
    Late,
    LocationElsewhere,
    LoseUpload,
    Redirect,
    ResetRequest,
    ResetResponse,
    Script,
    Truncate,
    WrongDigest,
    on,
    read_only,
)
from longshore.testing.registry import FaultyRegistry, faulty_registry
from longshore.testing.registry_auth import BasicAuth, TokenAuth

Connect = Callable[..., RegistryClient]
MakeStream = Callable[..., BlobSource]
MakeBytes = Callable[..., bytes]
MEBIBYTE = 1 << 20
REPOSITORY = "team/app"
BOB = Credential(username="bob", password=Secret("pw-of-bob"), origin="the tests")
USERS = {"bob": "pw-of-bob"}


def _of(told: Sequence[Progress], kind: type[Progress]) -> list[Progress]:
    return [event for event in told if isinstance(event, kind)]


async def _content(client: RegistryClient, digest: Digest) -> bytes:
    async with client.get_blob(REPOSITORY, digest) as data:
        return b"".join([piece async for piece in data])


def _methods(registry: FaultyRegistry) -> list[str]:
    return [f"{record.method} {record.status}" for record in registry.recorded]


async def _image(client: RegistryClient, repository: str = REPOSITORY) -> Manifest:
    """Upload a configuration and say what its manifest is."""
    config = BlobBytes(b"{}")
    await client.upload_blob(repository, config, digest=config.digest)
    return image_manifest(Descriptor.of(config.content, DOCKER_CONFIG), [])


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
            assert _methods(registry) == ["GET 200", "POST 202", "PATCH 202", "PUT 201"]
            assert registry.recorded[2].headers["Transfer-Encoding"] == "chunked"
            assert await _content(client, delivery.digest) == blob

    @pytest.mark.parametrize("size", [0, 1, 100_000])
    async def test_a_small_blob_goes_with_the_put(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, size: int
    ) -> None:
        blob = some_bytes(size)
        async with faulty_registry() as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert _methods(registry) == ["GET 200", "POST 202", "PUT 201"]
            assert await _content(client, delivery.digest) == blob

    async def test_the_session_of_a_mount_that_is_not_done_takes_the_upload(
        self, connect: Connect
    ) -> None:
        config = BlobBytes(b"{}")
        async with faulty_registry() as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(
                REPOSITORY, config, digest=config.digest, mount_from=["nothing/here"]
            )
            assert delivery.route == "sent"
            assert _methods(registry) == ["GET 200", "HEAD 404", "POST 202", "PUT 201"]

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
            assert await _content(client, delivery.digest) == blob
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
            assert await _content(client, delivery.digest) == blob
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
            assert await _content(client, delivery.digest) == blob
        assert (delivery.restarts, len(_of(told, Restarted))) == (1, 1)

    async def test_an_answer_lost_after_the_commit_is_found_out(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(2 * MEBIBYTE)
        plan = Script([on("PUT upload", ResetResponse())])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            await client.upload_blob(REPOSITORY, stream(blob))
            assert registry.received == len(blob)
            assert _methods(registry)[-2:] == ["PUT None", "HEAD 200"]

    async def test_a_lost_session_is_begun_again_once(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        blob = some_bytes(2 * MEBIBYTE)
        plan = Script([on("PATCH upload", LoseUpload())])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await _content(client, delivery.digest) == blob
        (event,) = _of(told, Restarted)
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
        (event,) = _of(told, Waiting)
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
        (event,) = _of(told, Waiting)
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
            assert _methods(registry)[-1].startswith("DELETE")

    async def test_a_broken_download_goes_on_at_the_byte_it_reached(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(3 * MEBIBYTE)
        async with faulty_registry() as registry, connect(registry.host) as client:
            digest = (await client.upload_blob(REPOSITORY, stream(blob))).digest
            registry.plan = Script([on("GET blob", Truncate(after=MEBIBYTE))])
            assert await _content(client, digest) == blob
            assert registry.recorded[-1].headers["Range"] == f"bytes={MEBIBYTE}-"

    async def test_changed_bytes_are_an_error(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        async with faulty_registry() as registry, connect(registry.host) as client:
            digest = (await client.upload_blob(REPOSITORY, stream(some_bytes(1000)))).digest
            registry.plan = Script([on("GET blob", Corrupt())])
            with pytest.raises(ContentMismatch):
                await _content(client, digest)

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


class TestCommits:
    """A registry over an object store copies a blob to its place before it answers."""

    async def test_the_answer_may_take_longer_than_a_line_may_be_silent(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(MEBIBYTE)
        plan = Script([on("PUT upload", Late(pause=0.5))])
        limits = Limits(idle=0.2, commit=20)
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=limits) as client,
        ):
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert _methods(registry) == ["GET 200", "POST 202", "PATCH 202", "PUT 201"]
        assert (delivery.restarts, delivery.resumed) == (0, ())

    async def test_elsewhere_silence_is_cut_off_as_before(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        blob = some_bytes(MEBIBYTE)
        plan = Script([on("PATCH upload", Late(pause=5))])
        limits = Limits(idle=0.2, commit=20)
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=limits) as client,
        ):
            await client.upload_blob(REPOSITORY, stream(blob))
        (event,) = _of(told, Waiting)
        assert isinstance(event, Waiting)
        assert event.reason == "no byte moved for 0.2 s"

    async def test_an_answer_that_never_comes_ends_at_its_own_limit_and_the_blob_is_found(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
    ) -> None:
        blob = some_bytes(MEBIBYTE)
        plan = Script([on("PUT upload", Late(pause=5))])
        limits = Limits(idle=0.1, commit=0.3)
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=limits) as client,
        ):
            await client.upload_blob(REPOSITORY, stream(blob))
            assert _methods(registry)[-1] == "HEAD 200"
        (event,) = _of(told, Waiting)
        assert isinstance(event, Waiting)
        assert event.reason == "no byte moved for 0.3 s"

    async def test_no_answer_is_waited_for_beyond_the_time_of_the_push(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        plan = Script([on("PUT upload", Late(pause=5), times=None)])
        limits = Limits(idle=20, commit=20, deadline=0.5)
        async with (
            faulty_registry(plan=plan) as registry,
            connect(registry.host, limits=limits) as client,
        ):
            with pytest.raises(RegistryUnavailable) as caught:
                await client.upload_blob(REPOSITORY, stream(some_bytes(MEBIBYTE)))
        assert (
            caught.value.message == f"{registry.host} did not finish with {REPOSITORY} within 0.5 s"
        )
        assert caught.value.hint == (
            "allow more time with --push-timeout, or find out what is slow"
        )


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
            assert await _content(client, delivery.digest) == blob
        (event,) = _of(told, ChunkSized)
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
            assert await _content(client, delivery.digest) == blob
        assert len(_of(told, ChunkSized)) == 1

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

    async def test_a_server_that_wants_lengths_gets_chunks(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        blob = some_bytes(2 * MEBIBYTE)
        plan = Script([on("PATCH upload", Answer(status=411))])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            assert await _content(client, delivery.digest) == blob
            assert registry.requests("PATCH")[-1].headers["Content-Range"] == f"0-{len(blob) - 1}"


class TestIdentity:
    async def test_credentials_are_sent_only_where_they_are_asked_for(
        self, connect: Connect
    ) -> None:
        async with (
            faulty_registry(auth=BasicAuth(users=USERS)) as registry,
            connect(registry.host, credential=BOB) as client,
        ):
            await client.tags(REPOSITORY)
            assert [bool(record.authorization) for record in registry.recorded] == [False, True]

    async def test_nothing_changed_takes_three_requests_and_one_token(
        self, connect: Connect
    ) -> None:
        async with faulty_registry(auth=TokenAuth(users=USERS)) as registry:
            async with connect(registry.host, credential=BOB) as client:
                manifest = await _image(client)
                await client.put_manifest(REPOSITORY, "t", manifest)
            registry.recorded.clear()
            async with connect(registry.host, credential=BOB) as client:
                client.will_push(REPOSITORY)
                assert await client.head_manifest(REPOSITORY, "t") == manifest.digest
                assert _methods(registry) == ["GET 401", "GET 200", "HEAD 200"]
                await client.put_manifest(REPOSITORY, "another", manifest)
                assert _methods(registry)[3:] == ["PUT 201"]

    async def test_an_identity_token_is_in_no_address(self, connect: Connect) -> None:
        auth = TokenAuth(users=USERS, refresh_tokens=frozenset({"id-token"}))
        identity = Credential(identity_token=Secret("id-token"))
        async with (
            faulty_registry(auth=auth) as registry,
            connect(registry.host, credential=identity) as client,
        ):
            await client.put_manifest(REPOSITORY, "t", await _image(client))
            assert not any("id-token" in record.path for record in registry.recorded)

    @pytest.mark.parametrize("where", ["PATCH upload", "PUT upload", "PUT manifest"])
    async def test_a_token_that_ends_in_the_middle_of_a_push_is_renewed(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, where: str
    ) -> None:
        blob = some_bytes(3 * MEBIBYTE)
        plan = Script([on(where, ExpireTokens())])
        async with (
            faulty_registry(auth=TokenAuth(users=USERS), plan=plan) as registry,
            connect(registry.host, credential=BOB) as client,
        ):
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            await client.put_manifest(REPOSITORY, "t", await _image(client))
            assert await _content(client, delivery.digest) == blob

    async def test_a_right_that_is_missing_is_told_with_the_registrys_words(
        self, connect: Connect, stream: MakeStream
    ) -> None:
        async with (
            faulty_registry(plan=read_only(FORBIDDEN)) as registry,
            connect(registry.host, credential=BOB) as client,
        ):
            with pytest.raises(
                RegistryDenied, match="DENIED: requested access to the resource is denied"
            ):
                await client.upload_blob(REPOSITORY, stream(b"x"), name="layer 1 of 2")

    async def test_a_token_server_over_plain_http_gets_nothing(self, connect: Connect) -> None:
        class Elsewhere(TokenAuth):
            def check(self, request: object) -> None:
                from longshore.registry.server.refusals import Code, Refusal

                header = {"WWW-Authenticate": 'Bearer realm="http://tokens.example/t"'}
                raise Refusal(401, Code.UNAUTHORIZED, "no", headers=header)

        async with (
            faulty_registry(auth=Elsewhere(users=USERS)) as registry,
            connect(registry.host, credential=BOB) as client,
        ):
            with pytest.raises(RegistryError, match=r"plain HTTP \(http://tokens\.example/t\)"):
                await client.tags(REPOSITORY)


class TestOtherHosts:
    @pytest.mark.parametrize(
        ("where", "fault"),
        [
            ("POST uploads", LocationElsewhere),
            ("PATCH upload", LocationElsewhere),
            ("PUT manifest", Redirect),
            ("GET blob", Redirect),
            ("HEAD manifest", Redirect),
            ("PATCH upload", Redirect),
        ],
    )
    async def test_no_other_host_ever_sees_credentials(
        self,
        connect: Connect,
        stream: MakeStream,
        some_bytes: MakeBytes,
        where: str,
        fault: Callable[..., Fault],
    ) -> None:
        blob = some_bytes(2 * MEBIBYTE)
        async with (
            faulty_registry(auth=TokenAuth(users=USERS)) as registry,
            faulty_registry(storage=registry.storage) as other,
            connect(registry.host, credential=BOB) as client,
        ):
            registry.plan = Script([on(where, fault(base=other.url), times=None)])
            digest = (await client.upload_blob(REPOSITORY, stream(blob))).digest
            await client.put_manifest(REPOSITORY, "t", await _image(client))
            assert await client.head_manifest(REPOSITORY, "t") is not None
            assert await _content(client, digest) == blob
        assert other.recorded
        for record in other.recorded:
            assert "Authorization" not in record.headers
            assert "Cookie" not in record.headers


class TestAnswersThatLie:
    async def test_a_wrong_digest_for_a_blob_is_looked_into(
        self, connect: Connect, stream: MakeStream
    ) -> None:
        plan = Script([on("PUT upload", WrongDigest())])
        async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
            delivery = await client.upload_blob(REPOSITORY, stream(b"x"))
            assert await _content(client, delivery.digest) == b"x"

    async def test_a_wrong_digest_for_a_manifest_that_is_insisted_on_is_an_error(
        self, connect: Connect
    ) -> None:
        rules = [on("PUT manifest", WrongDigest()), on("HEAD manifest", WrongDigest())]
        async with (
            faulty_registry(plan=Script(rules)) as registry,
            connect(registry.host) as client,
        ):
            manifest = await _image(client)
            with pytest.raises(ContentMismatch, match="0000"):
                await client.put_manifest(REPOSITORY, "t", manifest)

    async def test_a_manifest_that_was_changed_is_refused(self, connect: Connect) -> None:
        async with faulty_registry() as registry, connect(registry.host) as client:
            manifest = await _image(client)
            await client.put_manifest(REPOSITORY, "t", manifest)
            registry.plan = Script([on("GET manifest", WrongDigest())])
            with pytest.raises(ContentMismatch):
                await client.get_manifest(REPOSITORY, "t")


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
