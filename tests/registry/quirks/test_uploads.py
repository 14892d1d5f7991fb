"""Registries that answer an upload otherwise than specified, and what stands before them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiohttp import web

from longshore.oci.digest import Digest
from longshore.registry.blobs import BlobSource
from longshore.registry.limits import Limits
from longshore.registry.push import PushOptions, push
from longshore.testing.stored import MemoryImage

from ..conftest import Connect, MakeBytes, Serve
from ..small_registry import SmallRegistry, cut

MEBIBYTE = 1 << 20


def _not_with_the_last_request(
    status: int,
) -> Callable[[web.Request], web.Response | None]:
    """That answer to bytes that come with the request that completes a blob."""

    def odd(request: web.Request) -> web.Response | None:
        with_body = request.method == "PUT" and request.headers.get("Content-Length") != "0"
        return web.Response(status=status) if with_body else None

    return odd


async def test_a_registry_that_takes_nothing_with_the_last_request_gets_it_before(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """As older ones of JFrog (moby/buildkit#1130)."""
    registry = SmallRegistry(_not_with_the_last_request(404))
    async with serve(registry) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(b"one"))
        await client.upload_blob("a/b", stream(b"two"))
    assert set(registry.blobs.values()) == {b"one", b"two"}
    assert registry.count("PUT uploads") == 3, "it is known the second time"
    assert registry.count("DELETE uploads") == 1, "the first upload is not left behind"


async def test_a_registry_that_fails_over_bytes_with_the_last_request_gets_them_before(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource], waits: list[float]
) -> None:
    """As older ones of Pulp, and so of Satellite (pulp/pulp_container#1131)."""
    registry = SmallRegistry(_not_with_the_last_request(500))
    async with serve(registry) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(b"one"))
        await client.upload_blob("a/b", stream(b"two"))
    assert set(registry.blobs.values()) == {b"one", b"two"}
    assert registry.count("PUT uploads") == 3, "it is known the second time"
    assert len(waits) == 1


async def test_bytes_may_be_taken_with_another_success(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource], some_bytes: MakeBytes
) -> None:
    """Docker's client takes any, so registries never learnt."""

    def odd(request: web.Request) -> web.Response | None:
        if request.method != "PATCH":
            return None
        name = request.path.rpartition("/")[2]
        answer = registry._upload(request, name, request._read_bytes or b"")
        answer.set_status(200)
        return answer

    registry, content = SmallRegistry(odd), some_bytes(MEBIBYTE)
    async with serve(registry) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(content))
    assert list(registry.blobs.values()) == [content]


async def test_an_upload_may_begin_with_another_success(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    def odd(request: web.Request) -> web.Response | None:
        if request.method != "POST":
            return None
        answer = registry._upload(request, "", b"")
        answer.set_status(201)
        return answer

    registry = SmallRegistry(odd)
    async with serve(registry) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(b"one"))
    assert list(registry.blobs.values()) == [b"one"]


async def test_cookies_of_any_name_and_attribute_are_kept(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    seen: list[str | None] = []

    def odd(request: web.Request) -> web.Response | None:
        seen.append(request.headers.get("Cookie"))
        if request.method != "POST":
            return None
        answer = registry._upload(request, "", b"")
        answer.headers["Set-Cookie"] = "lb:1=a=b; Path=/; Partitioned; SameSite=None"
        return answer

    registry = SmallRegistry(odd)
    async with serve(registry) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(b"one"))
    assert seen == [None, "lb:1=a=b"]


async def test_a_registry_that_takes_its_own_session_for_a_browsers_does_not_get_it_back(
    serve: Serve, connect: Connect, image: MemoryImage
) -> None:
    """Harbor refuses to write then (openai/tart#295, dotnet/sdk-container-builds#418)."""
    seen: set[str] = set()

    def harbor(request: web.Request) -> web.Response:
        seen.update(request.cookies)
        if request.method not in ("GET", "HEAD") and "sid" in request.cookies:
            error = {"code": "FORBIDDEN", "message": "CSRF token invalid"}
            return web.json_response({"errors": [error]}, status=403)
        kind = registry.asked[-1].partition(" ")[2]
        answer = registry._answer(request, kind, request._read_bytes or b"")
        for cookie in ("sid=e1da; Path=/; HttpOnly", "_gorilla_csrf=MTU5; Path=/", "lb=node1"):
            answer.headers.add("Set-Cookie", cookie)
        return answer

    registry = SmallRegistry(harbor)
    async with serve(registry) as host, connect(host) as client:
        await push(client, "a/b", ["1"], image, PushOptions())
    assert "1" in registry.manifests
    assert seen == {"lb"}


async def test_a_mount_that_fails_over_becomes_an_upload(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource], waits: list[float]
) -> None:
    def odd(request: web.Request) -> web.Response | None:
        return web.Response(status=500) if "mount" in request.query else None

    registry = SmallRegistry(odd)
    async with serve(registry) as host, connect(host) as client:
        source = stream(b"one")
        digest = Digest.of(b"one")
        delivery = await client.upload_blob("a/b", source, digest=digest, mount_from=("c/d",))
    assert delivery.route == "sent"
    assert waits == []


@pytest.mark.parametrize("refused", [{"POST", "PATCH", "PUT", "GET", "HEAD"}, {"PATCH"}])
async def test_a_proxy_that_closes_kept_connections_without_a_word_is_got_along_with(
    serve: Serve, connect: Connect, image: MemoryImage, refused: set[str]
) -> None:
    """To Go's clients, which send again at once, it is not worth a word."""
    used: list[object] = []

    def odd(request: web.Request) -> web.Response | None:
        if request.transport in used and request.method in refused:
            return cut(request)
        used.append(request.transport)
        return None

    registry = SmallRegistry(odd)
    async with serve(registry) as host, connect(host, limits=Limits(retries=4)) as client:
        await push(client, "a/b", ["1"], image, PushOptions())
    assert "1" in registry.manifests
