"""Large blobs in several streamed requests, for registries made of distribution's code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from msgspec.structs import replace

from longshore.registry.limits import MEBIBYTE, Limits
from longshore.registry.transport.exchange import Buffer
from longshore.testing.blob import BlobInPieces, content_of
from longshore.testing.faults import Answer, AnswerEarly, ExpireTokens, Script, on
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import TokenAuth
from longshore.testing.registry_bench import FreeTime

from .conftest import Connect, MakeBytes, MakeStream, Serve
from .small_registry import Odd, SmallRegistry

STRETCH = 2 * MEBIBYTE
SIZE = 5 * MEBIBYTE
LIMITS = Limits(chunk_size=MEBIBYTE, stretch=STRETCH, retries=3)


class Reference(SmallRegistry):
    """Its uploads' addresses are like distribution's; `bodies` are the lengths of the PATCHes."""

    def __init__(self, odd: Odd = lambda _: None) -> None:
        super().__init__(odd)
        self.bodies: list[int] = []

    async def __call__(self, request: web.Request) -> web.Response:
        if request.method == "PATCH":
            self.bodies.append(len(await request.read()))
        answer = await super().__call__(request)
        if "Location" in answer.headers and request.method in ("POST", "PATCH"):
            answer.headers["Location"] += f"?_state={len(self.asked)}"
        return answer


async def test_a_large_blob_goes_in_stretches_and_a_small_one_does_not(
    serve: Serve, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
) -> None:
    registry = Reference()
    async with serve(registry) as host, connect(host, limits=LIMITS) as client:
        large = await client.upload_blob("a/b", stream(some_bytes(SIZE)))
        await client.upload_blob("a/b", stream(some_bytes(MEBIBYTE)))
    assert registry.bodies == [STRETCH, STRETCH, SIZE - 2 * STRETCH, MEBIBYTE]
    assert registry.blobs[str(large.digest)] == some_bytes(SIZE)
    assert (large.size, large.resumed, large.restarts) == (SIZE, (), 0)


async def test_a_blob_that_ends_with_a_stretch_needs_no_empty_request(
    serve: Serve, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
) -> None:
    registry = Reference()
    async with serve(registry) as host, connect(host, limits=LIMITS) as client:
        await client.upload_blob("a/b", stream(some_bytes(2 * STRETCH)))
    assert registry.bodies == [STRETCH, STRETCH]


async def test_another_registry_gets_the_blob_in_one_request(
    serve: Serve, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
) -> None:
    registry = SmallRegistry(lambda _: None)
    async with serve(registry) as host, connect(host, limits=LIMITS) as client:
        await client.upload_blob("a/b", stream(some_bytes(SIZE)))
    assert registry.count("PATCH uploads") == 1


def _second_patch(status: int) -> Callable[[], Odd]:
    def make() -> Odd:
        seen: dict[str, int] = {}

        def odd(request: web.Request) -> web.Response | None:
            if request.method != "PATCH":
                return None
            seen[request.path] = seen.get(request.path, 0) + 1
            return web.Response(status=status) if seen[request.path] > 1 else None

        return odd

    return make


def _nothing_but_whole() -> Odd:
    """A blob of more than one request has another digest here than it should have."""
    patches: dict[str, int] = {}

    def odd(request: web.Request) -> web.Response | None:
        if request.method == "PATCH":
            patches[request.path] = patches.get(request.path, 0) + 1
        damaged = request.method == "PUT" and patches.get(request.path, 0) > 1
        return web.Response(status=400) if damaged else None

    return odd


@pytest.mark.parametrize(
    "odd",
    [*(_second_patch(status) for status in (400, 404, 405, 416, 501)), _nothing_but_whole],
    ids=["400", "404", "405", "416", "501", "damaged"],
)
async def test_who_takes_no_second_request_gets_this_blob_and_all_others_whole(
    serve: Serve,
    connect: Connect,
    stream: MakeStream,
    some_bytes: MakeBytes,
    odd: Callable[[], Odd],
) -> None:
    registry = Reference(odd())
    async with serve(registry) as host, connect(host, limits=LIMITS) as client:
        first = await client.upload_blob("a/b", stream(some_bytes(SIZE)))
        second = await client.upload_blob("a/b", stream(some_bytes(SIZE, seed=2)))
    assert registry.blobs[str(first.digest)] == some_bytes(SIZE)
    assert (first.restarts, second.restarts) == (1, 0)
    assert registry.bodies[0] == STRETCH
    assert registry.bodies[-2:] == [SIZE, SIZE]


@pytest.mark.parametrize("status", [400, 405, 416, 501])
async def test_an_upload_that_takes_no_second_request_is_ended(
    serve: Serve, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, status: int
) -> None:
    registry = Reference(_second_patch(status)())
    async with serve(registry) as host, connect(host, limits=LIMITS) as client:
        await client.upload_blob("a/b", stream(some_bytes(SIZE)))
    assert registry.count("DELETE uploads") == 1


@pytest.mark.parametrize(
    ("kept", "resumed", "restarts"), [(2 * STRETCH, (STRETCH,), 0), (MEBIBYTE, (), 1)]
)
async def test_a_break_in_a_later_stretch_is_mended_like_any_other(
    serve: Serve,
    connect: Connect,
    stream: MakeStream,
    some_bytes: MakeBytes,
    kept: int,
    resumed: tuple[int, ...],
    restarts: int,
) -> None:
    """Where the registry is, if so much is still in memory."""
    patches = 0

    def breaking(request: web.Request) -> web.Response | None:
        nonlocal patches
        patches += request.method == "PATCH"
        return web.Response(status=503) if request.method == "PATCH" and patches == 2 else None

    registry, limits = Reference(breaking), replace(LIMITS, chunk_size=kept)
    async with serve(registry) as host, connect(host, limits=limits) as client:
        delivery = await client.upload_blob("a/b", stream(some_bytes(SIZE)))
    assert registry.blobs[str(delivery.digest)] == some_bytes(SIZE)
    assert (delivery.resumed, delivery.restarts) == (resumed, restarts)


@pytest.mark.parametrize("kind", [SmallRegistry, Reference])
async def test_what_a_registry_has_not_kept_of_a_stream_follows_in_pieces_that_tell_their_place(
    serve: Serve,
    connect: Connect,
    stream: MakeStream,
    some_bytes: MakeBytes,
    kind: Callable[[Odd], SmallRegistry],
) -> None:
    """A body that is announced and tells where it begins is more likely to get through."""
    places: list[str | None] = []
    kept = STRETCH - 300_000

    def frugal(request: web.Request) -> web.Response | None:
        if request.method != "PATCH":
            return None
        places.append(request.headers.get("Content-Range"))
        if len(places) > 1:
            return None
        registry._uploads[request.path.rpartition("/")[2]] += some_bytes(SIZE)[:kept]
        headers = {"Location": f"{request.path}", "Range": f"0-{kept - 1}"}
        return web.Response(status=202, headers=headers)

    registry, limits = kind(frugal), replace(LIMITS, chunk_size=2 * SIZE)
    async with serve(registry) as host, connect(host, limits=limits) as client:
        delivery = await client.upload_blob("a/b", stream(some_bytes(SIZE)))
    assert registry.blobs[str(delivery.digest)] == some_bytes(SIZE)
    assert places == [None, f"{kept}-{SIZE - 1}"]


async def test_a_registry_that_takes_blobs_whole_alone_gets_no_stretches(
    serve: Serve, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
) -> None:
    registry = Reference()
    async with serve(registry) as host, connect(host, limits=LIMITS) as client:
        client._line.chunking.whole = True
        await client.upload_blob("a/b", stream(some_bytes(SIZE)))
    assert registry.bodies == [SIZE]


async def test_a_token_that_ends_between_two_stretches_is_renewed_before_the_next_begins(
    connect: Connect, some_bytes: MakeBytes, time: FreeTime
) -> None:
    """A stream cannot be sent again, so that it would be too late after a 401."""

    class Slow(BlobInPieces):
        async def __aiter__(self) -> AsyncIterator[Buffer]:
            yield self.content[:STRETCH]
            time.waits.append(2000)
            yield self.content[STRETCH:]

    auth = TokenAuth(expires_in=1000, clock=time.clock().now)
    async with (
        faulty_registry(auth=auth) as registry,
        connect(registry.host, limits=LIMITS) as client,
    ):
        client._line.chunking.stretch = STRETCH
        delivery = await client.upload_blob("team/app", Slow(some_bytes(SIZE)))
        assert await content_of(client, "team/app", delivery.digest) == some_bytes(SIZE)
    assert registry.story.count("PATCH 202") == 2
    assert not [answer for answer in registry.story[1:] if answer.endswith("401")]
    assert (delivery.resumed, delivery.restarts) == ((), 0)


async def test_a_token_that_is_refused_before_its_time_costs_one_stretch_at_most(
    connect: Connect, stream: MakeStream, some_bytes: MakeBytes
) -> None:
    plan = Script([on("PATCH upload", ExpireTokens(), first=2)])
    async with (
        faulty_registry(plan=plan, auth=TokenAuth()) as registry,
        connect(registry.host, limits=replace(LIMITS, chunk_size=2 * STRETCH)) as client,
    ):
        client._line.chunking.stretch = STRETCH
        delivery = await client.upload_blob("team/app", stream(some_bytes(SIZE)))
        assert await content_of(client, "team/app", delivery.digest) == some_bytes(SIZE)
    assert (delivery.resumed, delivery.restarts) == ((STRETCH,), 0)


async def test_a_stretch_that_is_taken_before_its_end_is_gone_on_with_where_the_registry_is(
    connect: Connect, stream: MakeStream, some_bytes: MakeBytes
) -> None:
    early, length = AnswerEarly(answer=Answer(status=202)), 16 * MEBIBYTE  # no line holds so much
    async with (
        faulty_registry(plan=Script([on("PATCH upload", early, first=2)])) as registry,
        connect(registry.host, limits=Limits(chunk_size=2 * length)) as client,
    ):
        client._line.chunking.stretch = length
        delivery = await client.upload_blob("team/app", stream(some_bytes(3 * length)))
    assert (delivery.resumed, delivery.restarts) == ((length,), 0)
