"""Upload sessions: every answer may move them, set cookies, and say how large pieces may be."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from longshore.registry.blobs import BlobSource
from longshore.registry.limits import Limits

from .conftest import Connect, Serve

MEBIBYTE = 1 << 20


async def test_every_answer_moves_the_session_also_that_about_its_state(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """As distribution does it: the state of the upload is in its address."""
    asked: list[str] = []

    def moving(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path.rpartition('/')[2]}")
        if len(asked) == 2:
            return web.Response(status=503)
        headers = {"Location": f"/v2/a/b/blobs/uploads/{len(asked)}"}
        status = {"GET": 204, "HEAD": 404, "PUT": 201}.get(request.method, 202)
        return web.Response(status=status, headers=headers)

    limits = Limits(chunk_size=MEBIBYTE)
    async with serve(moving) as host, connect(host, limits=limits) as client:
        client._line.chunking.streaming = False
        await client.upload_blob("a/b", stream(bytes(2 * MEBIBYTE)))
    assert asked == ["POST ", "PATCH 1", "GET 1", "PATCH 3", "PATCH 4", "PUT 5"]


async def test_a_cookie_that_changes_on_the_way_is_sent_as_it_is_by_then(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """What is no cookie is none; a second one is sent beside the first."""
    seen: list[str | None] = []

    def balancer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        headers = {"Location": "/v2/a/b/blobs/uploads/x"}
        answer = web.Response(status=201 if request.method == "PUT" else 202, headers=headers)
        cookies = {"POST": ["lb=1", "no cookie", "=nor this"], "PATCH": ["lb=2", "also=x"]}
        for cookie in cookies.get(request.method, []):
            answer.headers.add("Set-Cookie", f"{cookie}; Path=/")
        return answer

    async with serve(balancer) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(bytes(MEBIBYTE)))
    assert seen == [None, "lb=1", "lb=2; also=x"]


async def test_pieces_are_as_large_as_the_first_answer_wants_them(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    lengths: list[int] = []

    def choosy(request: web.Request) -> web.Response:
        if request.method == "PATCH":
            lengths.append(int(request.headers["Content-Length"]))
        headers = {"Location": "/v2/a/b/blobs/uploads/x", "OCI-Chunk-Max-Length": str(3 << 18)}
        return web.Response(status=201 if request.method == "PUT" else 202, headers=headers)

    async with serve(choosy) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(bytes(2 * MEBIBYTE)))
    assert lengths == [3 << 18, 3 << 18, 1 << 19]


async def test_sessions_that_break_off_may_be_gone_as_often_as_they_break(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """Azure's drops one that broke: that is not a setup that forgets all of them."""
    broken: set[str] = set()

    def forgetful(request: web.Request) -> web.Response:
        headers = {"Location": f"/v2/a/b/blobs/uploads/{len(broken)}"}
        if request.method == "PATCH" and request.path in broken:
            return web.Response(status=404)
        if request.method == "PATCH" and len(broken) < 3:
            broken.add(request.path)
            return web.Response(status=503)
        if request.method == "GET":
            return web.Response(status=204)
        status = {"HEAD": 404, "PUT": 201}.get(request.method, 202)
        return web.Response(status=status, headers=headers)

    async with serve(forgetful) as host, connect(host) as client:
        client._line.chunking.streaming = False
        delivery = await client.upload_blob("a/b", stream(bytes(2 * MEBIBYTE)))
    assert delivery.restarts == 3


async def test_pieces_get_smaller_while_they_break_and_larger_again_when_they_get_through(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """One of the same size may never get through; below a mebibyte nothing is won."""
    lengths: list[int] = []
    got = 0

    def shaky(request: web.Request) -> web.Response:
        nonlocal got
        if request.method == "PATCH":
            lengths.append(int(request.headers["Content-Length"]) // MEBIBYTE)
            if len(lengths) <= 4:
                return web.Response(status=503)
            got += lengths[-1] * MEBIBYTE
        headers = {"Location": "/v2/a/b/blobs/uploads/x"}
        headers |= {"Range": f"0-{got - 1}"} if got else {}
        status = {"GET": 204, "HEAD": 404, "PUT": 201}.get(request.method, 202)
        return web.Response(status=status, headers=headers)

    limits = Limits(chunk_size=4 * MEBIBYTE)
    async with serve(shaky) as host, connect(host, limits=limits) as client:
        client._line.chunking.streaming = False
        await client.upload_blob("a/b", stream(bytes(12 * MEBIBYTE)))
    assert lengths == [4, 2, 1, 1, 1, 2, 4, 4, 1]
