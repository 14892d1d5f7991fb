"""Registries that do what the specification allows and few do: pages, sticky cookies, limits."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

import pytest
from aiohttp import web

from longshore.errors import NotFound, RegistryError, RegistryUnavailable
from longshore.registry.blobs import BlobSource, BlobStream
from longshore.registry.limits import Limits

from .conftest import Connect, Serve


async def test_tags_come_page_by_page(serve: Serve, connect: Connect) -> None:
    def page(request: web.Request) -> web.Response:
        last = request.query.get("last", "")
        if not last:
            link = '</v2/a/b/tags/list?last=2&n=2>; rel="next"'
            return web.json_response({"name": "a/b", "tags": ["1", "2"]}, headers={"Link": link})
        return web.json_response({"name": "a/b", "tags": ["2", "3"]})

    async with serve(page) as host, connect(host) as client:
        assert await client.tags("a/b") == ("1", "2", "3")


async def test_a_next_page_on_another_host_is_not_asked_for(serve: Serve, connect: Connect) -> None:
    def page(_: web.Request) -> web.Response:
        link = '<http://127.0.0.1:1/v2/a/b/tags/list>; rel="next"'
        return web.json_response({"tags": ["1"]}, headers={"Link": link})

    async with serve(page) as host, connect(host) as client:
        assert await client.tags("a/b") == ("1",)


async def test_a_repository_without_tags_has_none(serve: Serve, connect: Connect) -> None:
    async with (
        serve(lambda _: web.json_response({"name": "a/b", "tags": None})) as host,
        connect(host) as client,
    ):
        assert await client.tags("a/b") == ()


async def test_cookies_stay_with_their_upload(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """A load balancer leads by cookie to the process that knows the session."""
    seen: list[tuple[str, str | None]] = []
    sessions = iter("12")

    def balancer(request: web.Request) -> web.Response:
        seen.append((request.method, request.headers.get("Cookie")))
        if request.method == "POST":
            headers = {
                "Location": "/v2/a/b/blobs/uploads/x",
                "Set-Cookie": f"lb=node{next(sessions)}; Path=/; HttpOnly",
            }
            return web.Response(status=202, headers=headers)
        return web.Response(status=202 if request.method == "PATCH" else 201)

    async with serve(balancer) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(bytes(1 << 20)))
        await client.upload_blob("a/b", stream(b"x"))
    assert seen == [
        ("POST", None),
        ("PATCH", "lb=node1"),
        ("PUT", "lb=node1"),
        ("POST", None),
        ("PUT", "lb=node2"),
    ]


async def test_cookies_are_for_the_host_that_set_them(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """An upload may lead to another one and back."""
    seen: list[tuple[str, str | None]] = []

    def elsewhere(request: web.Request) -> web.Response:
        seen.append((f"there {request.method}", request.headers.get("Cookie")))
        headers = {"Location": f"http://{here}/v2/a/b/blobs/uploads/x", "Set-Cookie": "node=2"}
        return web.Response(status=202, headers=headers)

    def balancer(request: web.Request) -> web.Response:
        seen.append((f"here {request.method}", request.headers.get("Cookie")))
        headers = {"Location": f"http://{there}/up", "Set-Cookie": "lb=secret"}
        return web.Response(status=202 if request.method == "POST" else 201, headers=headers)

    async with (
        serve(elsewhere) as there,
        serve(balancer) as here,
        connect(here) as client,
    ):
        await client.upload_blob("a/b", stream(bytes(1 << 20)))
    assert seen == [("here POST", None), ("there PATCH", None), ("here PUT", "lb=secret")]


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a_redirect_to_another_host_takes_no_cookie_along(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource], method: str
) -> None:
    """Object stores are given the last bytes of a blob, and asked for its state, in that way."""
    seen: list[tuple[str, str | None]] = []

    def elsewhere(request: web.Request) -> web.Response:
        seen.append((request.method, request.headers.get("Cookie")))
        return web.Response(status=201 if request.method == "PUT" else 204)

    def balancer(request: web.Request) -> web.Response:
        if request.method == method:
            location = f"http://{there}{request.rel_url}"
            return web.Response(status=307, headers={"Location": location})
        if request.method == "PATCH" and "Content-Range" not in request.headers:
            return web.Response(status=503)
        headers = {"Location": "/v2/a/b/blobs/uploads/x", "Set-Cookie": "lb=secret"}
        status = {"GET": 204, "HEAD": 404, "PUT": 201}.get(request.method, 202)
        return web.Response(status=status, headers=headers)

    async with (
        serve(elsewhere) as there,
        serve(balancer) as here,
        connect(here) as client,
    ):
        await client.upload_blob("a/b", stream(bytes(1 << 20)))
    assert seen == [(method, None)]


async def test_a_chunk_that_arrived_in_part_is_gone_on_with_where_the_registry_says(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """The registry keeps at most 600,000 bytes of each chunk and says so in Range."""
    kept = 0
    ranges: list[str] = []

    def frugal(request: web.Request) -> web.Response:
        nonlocal kept
        location = {"Location": "/v2/a/b/blobs/uploads/x"}
        if request.method == "PATCH":
            ranges.append(request.headers["Content-Range"])
            kept += min(600_000, int(request.headers["Content-Length"]))
            return web.Response(status=202, headers={**location, "Range": f"0-{kept - 1}"})
        status = 202 if request.method == "POST" else 201
        return web.Response(status=status, headers=location)

    async with (
        serve(frugal) as host,
        connect(host, limits=Limits(chunk_size=1 << 20)) as client,
    ):
        client._line.chunking.streaming = False
        await client.upload_blob("a/b", stream(bytes(1_500_000)))
    assert [text.partition("-")[0] for text in ranges] == ["0", "600000", "1200000"]


async def test_a_range_before_all_that_could_be_sent_again_is_not_believed(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """The digest at the end tells whether they were kept; to begin anew costs all of them."""
    asked: list[str] = []

    def wrong(request: web.Request) -> web.Response:
        asked.append(request.method)
        headers = {"Location": "/v2/a/b/blobs/uploads/x"}
        if asked.count("PATCH") > 1:
            headers["Range"] = "0-9"
        return web.Response(status=201 if request.method == "PUT" else 202, headers=headers)

    limits = Limits(chunk_size=1 << 20)
    async with serve(wrong) as host, connect(host, limits=limits) as client:
        client._line.chunking.streaming = False
        await client.upload_blob("a/b", stream(bytes(3 << 20)))
    assert asked == ["POST", "PATCH", "PATCH", "PATCH", "PUT"]


async def test_a_commit_that_is_answered_as_lost_and_was_done_all_the_same_is_found_out(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """As when a proxy sends it twice: the second finds no upload any more."""
    asked: list[str] = []

    def twice(request: web.Request) -> web.Response:
        asked.append(request.method)
        known = {"PUT": 404, "HEAD": 200}
        headers = {"Location": "/v2/a/b/blobs/uploads/x"}
        return web.Response(status=known.get(request.method, 202), headers=headers)

    async with serve(twice) as host, connect(host) as client:
        delivery = await client.upload_blob("a/b", stream(bytes(1 << 20)))
    assert delivery.restarts == 0
    assert asked == ["POST", "PATCH", "PUT", "HEAD"]


async def test_a_registry_that_takes_bytes_and_keeps_none_is_given_up(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    """It keeps the first 600,000 bytes of all that comes, and says so in Range."""
    requests = 0

    def full(request: web.Request) -> web.Response:
        nonlocal requests
        requests += 1
        if request.method == "HEAD":
            return web.Response(status=404)
        headers = {"Location": "/v2/a/b/blobs/uploads/x", "Range": "0-599999"}
        return web.Response(status=204 if request.method == "GET" else 202, headers=headers)

    limits = Limits(chunk_size=1 << 20, retries=3)
    async with serve(full) as host, connect(host, limits=limits) as client:
        client._line.chunking.streaming = False
        with pytest.raises(RegistryError) as caught:
            await client.upload_blob("a/b", stream(bytes(1_500_000)), name="layer 1 of 2")
    assert caught.value.message.startswith(
        f"{host}: layer 1 of 2 of a/b: 202 Accepted, but no byte was kept (gave up after 4 attempts"
    )
    assert caught.value.hint == (
        f"try later, raise --push-retries, or find out what is wrong with {host}, or with what "
        "stands before it"
    )
    assert requests < 20


class TestUploadsThatGetNowhere:
    """Only bytes beyond all that have ever arrived make us more patient."""

    LOCATION: ClassVar = {"Location": "/v2/a/b/blobs/uploads/x"}
    LIMITS: ClassVar = Limits(retries=4, chunk_size=1 << 20)

    async def test_chunks_that_fit_nowhere_end_within_the_retries(
        self, serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
    ) -> None:
        """``0-0`` may stand for a byte; nothing is won by trying both again and again."""
        asked: list[str] = []

        def lost(request: web.Request) -> web.Response:
            asked.append(request.method)
            if len(asked) > 100:
                return web.Response(status=403)
            headers = {**self.LOCATION, "Range": "0-0"}
            return web.Response(status=self._status(request, 416, 204), headers=headers)

        async with serve(lost) as host, connect(host, limits=self.LIMITS) as client:
            client._line.chunking.streaming = False
            with pytest.raises(RegistryUnavailable, match=r"416 .*gave up after 5 attempts"):
                await client.upload_blob("a/b", stream(bytes(1 << 20)))
        assert asked.count("POST") == asked.count("DELETE"), "every session is ended"

    async def test_an_answer_that_tells_where_to_go_on_is_followed(
        self, serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
    ) -> None:
        """416 with the Range, from a registry whose status of an upload tells none."""
        got = 600_000
        ranges: list[str] = []

        def ahead(request: web.Request) -> web.Response:
            nonlocal got
            if request.method == "PATCH":
                ranges.append(request.headers["Content-Range"])
                if not ranges[-1].startswith(f"{got}-"):
                    headers = {"Range": f"0-{got - 1}"}
                    return web.Response(status=416, headers=headers)
                got += int(request.headers["Content-Length"])
            return web.Response(status=self._status(request, 202, 204), headers=self.LOCATION)

        async with serve(ahead) as host, connect(host, limits=self.LIMITS) as client:
            client._line.chunking.streaming = False
            delivery = await client.upload_blob("a/b", stream(bytes(1 << 20)))
        assert delivery.resumed == (600_000,)
        assert [text.partition("-")[0] for text in ranges] == ["0", "600000"]

    async def test_a_commit_that_fails_with_its_upload_gets_all_of_the_patience(
        self, serve: Serve, connect: Connect, stream: Callable[..., BlobSource], waits: list[float]
    ) -> None:
        def failing(request: web.Request) -> web.Response:
            if request.method == "PUT":
                return web.Response(status=503)
            return web.Response(status=self._status(request, 202, 404), headers=self.LOCATION)

        async with serve(failing) as host, connect(host, limits=self.LIMITS) as client:
            with pytest.raises(RegistryUnavailable, match=r"503 .*gave up after 5 attempts"):
                await client.upload_blob("a/b", stream(bytes(1 << 20)))
        assert sorted(waits) == waits
        assert len(waits) == 4

    async def test_an_upload_that_was_lost_may_be_cut_as_often_as_a_first_one(
        self, serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
    ) -> None:
        """Every chunk that gets through is progress in the session that is new."""
        got, patches, lost = 0, 0, False

        def cutting(request: web.Request) -> web.Response:
            nonlocal got, patches, lost
            if request.method == "PATCH":
                patches += 1
                if got == 15 << 20 and not lost:
                    got, lost = 0, True
                    return web.Response(status=404)
                if patches % 2:
                    return web.Response(status=503)
                got += int(request.headers["Content-Length"])
            headers = {**self.LOCATION, **({"Range": f"0-{got - 1}"} if got else {})}
            return web.Response(status=self._status(request, 202, 204), headers=headers)

        async with serve(cutting) as host, connect(host, limits=self.LIMITS) as client:
            client._line.chunking.streaming = False
            delivery = await client.upload_blob("a/b", stream(bytes(16 << 20)))
        assert delivery.restarts == 1
        assert patches > 40

    async def test_an_upload_that_is_begun_again_is_not_left_behind(
        self, serve: Serve, connect: Connect, stream: Callable[..., BlobSource]
    ) -> None:
        """It had bytes that are not the last we have in memory."""
        asked: list[str] = []

        def forgetful(request: web.Request) -> web.Response:
            asked.append(request.method)
            if request.method == "PATCH" and asked.count("PATCH") == 3:
                return web.Response(status=503)
            headers = {**self.LOCATION, "Range": f"0-{(asked.count('PATCH') << 20) - 1}"}
            if request.method == "GET":
                headers["Range"] = "0-1000"
            return web.Response(status=self._status(request, 202, 204), headers=headers)

        async with serve(forgetful) as host, connect(host, limits=self.LIMITS) as client:
            client._line.chunking.streaming = False
            delivery = await client.upload_blob("a/b", stream(bytes(4 << 20)))
        assert delivery.restarts == 1
        assert (asked.count("POST"), asked.count("DELETE")) == (2, 1)

    async def test_an_upload_whose_source_cannot_be_opened_is_cancelled(
        self, serve: Serve, connect: Connect
    ) -> None:
        asked: list[str] = []

        class Closed:
            def open(self) -> AbstractAsyncContextManager[BlobStream]:
                raise NotFound("the engine does not show its store")

        def plain(request: web.Request) -> web.Response:
            asked.append(request.method)
            return web.Response(status=self._status(request, 202, 204), headers=self.LOCATION)

        async with serve(plain) as host, connect(host) as client:
            with pytest.raises(NotFound):
                await client.upload_blob("a/b", Closed())
        assert asked == ["POST", "DELETE"]

    def _status(self, request: web.Request, patch: int, status: int) -> int:
        known = {"POST": 202, "PATCH": patch, "GET": status, "HEAD": 404, "PUT": 201}
        return known.get(request.method, 204)
