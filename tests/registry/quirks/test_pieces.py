"""Registries that take no pieces of a blob, miscount them, or lose what a break has left."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiohttp import web

from longshore.registry.blobs import BlobSource
from longshore.registry.chunking import Chunking
from longshore.registry.limits import Limits
from longshore.registry.progress import unheard

from ..conftest import Connect, MakeBytes, Serve
from ..small_registry import Odd, SmallRegistry, cut, is_piece

MEBIBYTE = 1 << 20


class Breaks:
    """Cuts streams, so many times; pieces are answered by `piece`."""

    def __init__(self, times: int, piece: Odd) -> None:
        self._times = times
        self._piece = piece

    def __call__(self, request: web.Request) -> web.Response | None:
        if is_piece(request):
            return self._piece(request)
        if request.method == "PATCH" and self._times:
            self._times -= 1
            return cut(request)
        return None


def stuck(_: web.Request) -> web.Response:
    """As Amazon's: it has the bytes, and shows a Range that stands still."""
    headers = {"Location": "/v2/a/b/blobs/uploads/u1", "Range": "0-0"}
    return web.Response(status=201, headers=headers)


def too_large(_: web.Request) -> web.Response:
    """As GitHub's."""
    text = "request body is too large and exceeds the maximum permissible limit of 4.00MiB"
    return web.Response(status=416, text=text)


class StandsStill:
    """As Amazon's: a Range that stands still at the end of the first piece, and no word of it."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def __call__(self, request: web.Request) -> web.Response | None:
        if request.method == "GET":
            return web.Response(status=404)
        if not is_piece(request):
            return None
        end = request.headers["Content-Range"].rpartition("-")[2]
        self._pieces = [*self._pieces, end] if request.path in self._pieces else [request.path, end]
        headers = {"Location": request.path, "Range": f"0-{self._pieces[1]}"}
        return web.Response(status=201, headers=headers)


async def test_a_range_that_stands_still_after_the_first_piece_ends_in_a_stream(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource], some_bytes: MakeBytes
) -> None:
    pieces, content = StandsStill(), some_bytes(5 * MEBIBYTE)
    breaks = Breaks(1, pieces)

    def odd(request: web.Request) -> web.Response | None:
        return pieces(request) if request.method == "GET" else breaks(request)

    registry = SmallRegistry(odd)
    async with (
        serve(registry) as host,
        connect(host, limits=Limits(chunk_size=MEBIBYTE)) as client,
    ):
        delivery = await client.upload_blob("a/b", stream(content))
    assert list(registry.blobs.values()) == [content]
    assert delivery.restarts <= 4


@pytest.mark.parametrize(
    "piece",
    [lambda _: web.Response(status=400), lambda _: web.Response(status=404), stuck, too_large],
    ids=["400", "404", "stuck", "too large"],
)
async def test_a_registry_that_takes_no_pieces_gets_a_broken_stream_again(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource], some_bytes: MakeBytes,
    piece: Odd,
) -> None:  # fmt: skip
    registry = SmallRegistry(Breaks(1, piece))
    first, second = some_bytes(20 * MEBIBYTE), some_bytes(3 * MEBIBYTE, 2)
    async with serve(registry) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(first))
        pieces = registry.count("PATCH uploads")
        registry._odd = Breaks(1, piece)
        await client.upload_blob("a/b", stream(second))
    assert set(registry.blobs.values()) == {first, second}
    assert pieces <= 6
    assert registry.count("PATCH uploads") == pieces + 2, "it is known now"


@pytest.mark.parametrize(
    ("host", "whole"),
    [
        ("ghcr.io", True),
        ("gcr.io", True),
        ("eu.gcr.io", True),
        ("europe-west4-docker.pkg.dev", True),
        ("public.ecr.aws", True),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", True),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", True),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", True),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", True),
        ("docker.io", False),
        ("notghcr.io", False),
        ("registry.gitlab.com", False),
        ("localhost:5000", False),
    ],
)
def test_of_some_it_is_known_beforehand(host: str, whole: bool) -> None:
    assert Chunking(host=host, limits=Limits(), listener=unheard).whole == whole


async def test_the_range_of_a_registry_that_takes_no_pieces_is_not_believed(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource], some_bytes: MakeBytes
) -> None:
    """It stands still at the first of the parts that Amazon's stores a stream in."""
    content = some_bytes(20 * MEBIBYTE)

    def standing_still(request: web.Request) -> web.Response | None:
        if request.method != "PATCH":
            return None
        registry._odd = lambda _: None
        registry._uploads[request.path.rpartition("/")[2]] += content
        headers = {"Location": request.path, "Range": f"0-{10 * MEBIBYTE}"}
        return web.Response(status=201, headers=headers)

    registry = SmallRegistry(standing_still)
    async with serve(registry) as host, connect(host) as client:
        client._line.chunking.whole = True
        await client.upload_blob("a/b", stream(content))
    assert registry.count("PATCH uploads") == 1


async def test_a_session_that_is_gone_after_a_break_is_begun_anew_as_often_as_it_breaks(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource], some_bytes: MakeBytes
) -> None:
    """Azure's tells how much it has (204), and takes no more (404)."""
    cuts = iter([True, True, True])
    broken: set[str] = set()

    def azure(request: web.Request) -> web.Response | None:
        if request.method != "PATCH":
            return None
        if request.path in broken:
            return web.Response(status=404)
        if next(cuts, False):
            broken.add(request.path)
            return cut(request)
        return None

    registry, content = SmallRegistry(azure), some_bytes(3 * MEBIBYTE)
    async with serve(registry) as host, connect(host) as client:
        delivery = await client.upload_blob("a/b", stream(content))
    assert list(registry.blobs.values()) == [content]
    assert delivery.restarts == 3


async def test_a_status_that_counts_one_byte_too_many_does_not_end_the_pieces(
    serve: Serve, connect: Connect, stream: Callable[..., BlobSource], some_bytes: MakeBytes
) -> None:
    """Quay's, also in what it says of a piece that begins too late."""
    cuts = {1, 3, 6}

    def quay(request: web.Request) -> web.Response | None:
        has = len(registry._uploads.get(request.path.rpartition("/")[2], b""))
        if request.method == "GET":
            return web.Response(status=204, headers={"Range": f"bytes=0-{has}"})
        if request.method != "PATCH":
            return None
        if registry.count("PATCH uploads") in cuts:
            return cut(request)
        if int(request.headers.get("Content-Range", "0-0").partition("-")[0]) > has:
            return web.Response(status=416, headers={"Range": f"0-{has}"})
        return None

    registry, content = SmallRegistry(quay), some_bytes(6 * MEBIBYTE)
    async with (
        serve(registry) as host,
        connect(host, limits=Limits(chunk_size=MEBIBYTE)) as client,
    ):
        delivery = await client.upload_blob("a/b", stream(content))
    assert list(registry.blobs.values()) == [content]
    assert delivery.restarts == 1, "after the stream, of which nothing was kept"
    assert len(delivery.resumed) == 2


@pytest.mark.parametrize("status", [403, 409, 410, 422])
async def test_an_upload_that_cannot_be_asked_about_is_begun_anew(
    serve: Serve,
    connect: Connect,
    stream: Callable[..., BlobSource],
    some_bytes: MakeBytes,
    status: int,
) -> None:
    breaks = Breaks(1, lambda _: None)

    def odd(request: web.Request) -> web.Response | None:
        return web.Response(status=status) if request.method == "GET" else breaks(request)

    registry, content = SmallRegistry(odd), some_bytes(3 * MEBIBYTE)
    async with serve(registry) as host, connect(host) as client:
        await client.upload_blob("a/b", stream(content))
    assert list(registry.blobs.values()) == [content]
