"""The end of an upload: a registry over an object store copies a blob before it answers."""

from __future__ import annotations

import pytest
from aiohttp import web

from longshore.errors import RegistryUnavailable
from longshore.registry.limits import Limits
from longshore.registry.progress import Progress, Waiting
from longshore.registry.server.refusals import Code
from longshore.testing.blob import content_of
from longshore.testing.faults import Answer, Late, Script, on
from longshore.testing.registry import faulty_registry

from .conftest import Connect, MakeBytes, MakeStream, Serve, of
from .small_registry import Odd, SmallRegistry

MEBIBYTE = 1 << 20
REPOSITORY = "team/app"


@pytest.mark.parametrize("status", [400, 416])
async def test_a_commit_that_is_refused_begins_the_upload_again(
    connect: Connect, stream: MakeStream, some_bytes: MakeBytes, status: int
) -> None:
    """What was stored of it may have been damaged."""
    blob = some_bytes(MEBIBYTE)
    refused = Answer(status=status, code=Code.DIGEST_INVALID, message="digest mismatch")
    plan = Script([on("PUT upload", refused)])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        delivery = await client.upload_blob(REPOSITORY, stream(blob))
        assert await content_of(client, REPOSITORY, delivery.digest) == blob
    assert delivery.restarts == 1


async def test_the_answer_may_take_longer_than_a_line_may_be_silent(
    connect: Connect, stream: MakeStream, some_bytes: MakeBytes
) -> None:
    blob = some_bytes(MEBIBYTE)
    plan = Script([on("PUT upload", Late(pause=0.5))])
    limits = Limits(idle=0.2, commit=20)
    async with (
        faulty_registry(plan=plan) as registry,
        connect(registry.host, limits=limits) as client,
    ):
        delivery = await client.upload_blob(REPOSITORY, stream(blob))
        assert registry.story == ["GET 200", "POST 202", "PATCH 202", "PUT 201"]
    assert (delivery.restarts, delivery.resumed) == (0, ())


async def test_elsewhere_silence_is_cut_off_as_before(
    connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
) -> None:
    blob = some_bytes(MEBIBYTE)
    plan = Script([on("PATCH upload", Late(pause=5))])
    limits = Limits(idle=0.2, commit=20)
    async with (
        faulty_registry(plan=plan) as registry,
        connect(registry.host, limits=limits) as client,
    ):
        await client.upload_blob(REPOSITORY, stream(blob))
    (event,) = of(told, Waiting)
    assert isinstance(event, Waiting)
    assert event.reason == "no byte moved for 0.2 s"


async def test_an_answer_that_never_comes_ends_at_its_own_limit_and_the_blob_is_found(
    connect: Connect, stream: MakeStream, some_bytes: MakeBytes, told: list[Progress]
) -> None:
    blob = some_bytes(MEBIBYTE)
    plan = Script([on("PUT upload", Late(pause=5))])
    limits = Limits(idle=0.1, commit=0.3)
    async with (
        faulty_registry(plan=plan) as registry,
        connect(registry.host, limits=limits) as client,
    ):
        await client.upload_blob(REPOSITORY, stream(blob))
        assert registry.story[-1] == "HEAD 200"
    (event,) = of(told, Waiting)
    assert isinstance(event, Waiting)
    assert event.reason == "no byte moved for 0.3 s"


async def test_no_answer_is_waited_for_beyond_the_time_of_the_push(
    connect: Connect, stream: MakeStream, some_bytes: MakeBytes
) -> None:
    plan = Script([on("PUT upload", Late(pause=5), times=None)])
    limits = Limits(idle=20, commit=20, deadline=0.5)
    async with (
        faulty_registry(plan=plan) as registry,
        connect(registry.host, limits=limits) as client,
    ):
        with pytest.raises(RegistryUnavailable) as caught:
            await client.upload_blob(REPOSITORY, stream(some_bytes(MEBIBYTE)))
    assert caught.value.message == f"{registry.host} did not finish with {REPOSITORY} within 0.5 s"
    assert caught.value.hint == ("allow more time with --push-timeout, or find out what is slow")


class TestCommitsThatAProxyDoesNotWaitFor:
    """The registry goes on with them (distribution/distribution#755, Cloudflare's 524)."""

    @staticmethod
    def slow(registry: SmallRegistry, looks: int, status: int) -> Odd:
        """The upload is gone with the first try to complete it, its blob there after `looks`."""
        completed: dict[str, bytes] = {}

        def odd(request: web.Request) -> web.Response | None:
            name = request.path.rpartition("/")[2]
            if request.method == "PUT" and "/uploads/" in request.path:
                completed[request.query["digest"]] = bytes(registry._uploads.pop(name))
                return web.Response(status=status)
            if request.method == "HEAD" and registry.count("HEAD blobs") >= looks:
                registry.blobs |= completed
            return None

        return odd

    @pytest.mark.parametrize("status", [408, 502, 504, 524])
    @pytest.mark.parametrize("whole", [False, True])
    async def test_are_looked_for_before_everything_is_sent_again(
        self,
        serve: Serve,
        connect: Connect,
        stream: MakeStream,
        some_bytes: MakeBytes,
        status: int,
        whole: bool,
    ) -> None:
        registry, content = SmallRegistry(lambda _: None), some_bytes(MEBIBYTE)
        registry._odd = self.slow(registry, 5, status)
        async with serve(registry) as host, connect(host) as client:
            client._line.chunking.whole = whole
            delivery = await client.upload_blob("a/b", stream(content))
        assert list(registry.blobs.values()) == [content]
        assert delivery.restarts == 0
        assert registry.count("DELETE uploads") == 0, "that would end what goes on"

    async def test_are_sent_again_where_they_do_not_come_true(
        self, serve: Serve, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
    ) -> None:
        registry, content = SmallRegistry(lambda _: None), some_bytes(MEBIBYTE)
        slow = self.slow(registry, 100, 504)

        def odd(request: web.Request) -> web.Response | None:
            return slow(request) if registry.count("PUT uploads") < 2 else None

        registry._odd = odd
        async with serve(registry) as host, connect(host) as client:
            delivery = await client.upload_blob("a/b", stream(content))
        assert list(registry.blobs.values()) == [content]
        assert delivery.restarts == 1
