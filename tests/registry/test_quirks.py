"""Registries in use that do not keep to the specification: what is known of them, and got round."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

import anyio
import pytest
from aiohttp import web
from msgspec.structs import replace

from longshore.errors import RegistryError
from longshore.oci.digest import Digest
from longshore.registry.blobs import BlobSource
from longshore.registry.chunking import Chunking
from longshore.registry.limits import Limits
from longshore.registry.placed import Candidate, Candidates, key_of
from longshore.registry.progress import unheard
from longshore.registry.publish import PushedImage
from longshore.registry.push import PushOptions, push
from longshore.testing.stored import MemoryImage, MemoryLayer

from .conftest import Connect, MakeBytes, Serve
from .small_registry import Odd, SmallRegistry

MEBIBYTE = 1 << 20


def is_piece(request: web.Request) -> bool:
    return request.method == "PATCH" and "Content-Range" in request.headers


def cut(request: web.Request) -> web.Response:
    """The connection is reset; what was sent was received."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


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


def known_of(image: MemoryImage, pushed: PushedImage) -> Candidates:
    """What is known of its layers after a push."""
    return {
        key_of(layer): (Candidate(digest=blob.digest, size=blob.size),)
        for layer, blob in zip(image.layers, pushed.manifest.layers, strict=True)
    }


@pytest.fixture
def image() -> MemoryImage:
    """With a layer that is streamed, and one that is not."""
    return MemoryImage([MemoryLayer(Random(1).randbytes(MEBIBYTE)), MemoryLayer(b"x")])


class TestRights:
    """To write is a right of its own."""

    @pytest.mark.parametrize("status", [403, 405])
    async def test_who_may_only_write_can_push(
        self, serve: Serve, connect: Connect, image: MemoryImage, status: int
    ) -> None:
        """Amazon's without ecr:BatchGetImage."""

        def odd(request: web.Request) -> web.Response | None:
            reading = request.method in ("GET", "HEAD")
            return web.Response(status=status) if reading else None

        registry = SmallRegistry(odd)
        async with serve(registry) as host, connect(host) as client:
            done = await push(client, "a/b", ["1"], image, PushOptions())
        assert registry.manifests["1"] == done.manifest.content

    @pytest.mark.parametrize("status", [400, 401, 403, 405, 406, 501])
    async def test_blobs_that_may_not_be_looked_for_are_sent(
        self, serve: Serve, connect: Connect, image: MemoryImage, status: int
    ) -> None:
        def odd(request: web.Request) -> web.Response | None:
            looking = request.method == "HEAD" and "/blobs/" in request.path
            return web.Response(status=status) if looking else None

        registry = SmallRegistry(odd)
        async with serve(registry) as host, connect(host) as client:
            await push(client, "a/b", ["1"], image, PushOptions())
        assert "1" in registry.manifests

    async def test_who_asked_for_the_proof_is_told_that_it_cannot_be_had(
        self, serve: Serve, connect: Connect, image: MemoryImage
    ) -> None:
        def odd(request: web.Request) -> web.Response | None:
            looking = request.method == "HEAD" and "/blobs/" in request.path
            return web.Response(status=403) if looking else None

        registry = SmallRegistry(odd)
        async with serve(registry) as host, connect(host) as client:
            with pytest.raises(RegistryError, match="refused blob"):
                await push(client, "a/b", ["1"], image, PushOptions(verify=True))
        assert registry.manifests == {}


async def test_a_limit_of_pulls_does_not_stop_a_push(
    serve: Serve, connect: Connect, image: MemoryImage, waits: list[float]
) -> None:
    """Docker Hub counts the question what a tag is (docker/docs#20788)."""

    def odd(request: web.Request) -> web.Response | None:
        pull = request.method == "GET" and "/manifests/" in request.path
        return web.Response(status=429, headers={"Retry-After": "3600"}) if pull else None

    registry = SmallRegistry(odd)
    async with serve(registry) as host, connect(host) as client:
        await push(client, "a/b", ["1"], image, PushOptions())
    assert "1" in registry.manifests
    assert waits == []


async def test_a_registry_that_knows_a_blob_only_after_a_while_is_waited_for(
    serve: Serve, connect: Connect, image: MemoryImage, waits: list[float]
) -> None:
    """Over eventually consistent storage (openshift/image-registry#220)."""
    unknown = iter(range(2))

    def odd(request: web.Request) -> web.Response | None:
        putting = request.method == "PUT" and "/manifests/" in request.path
        if putting and next(unknown, None) is not None:
            error = {"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}
            return web.json_response({"errors": [error]}, status=404)
        return None

    registry = SmallRegistry(odd)
    async with serve(registry) as host, connect(host) as client:
        await push(client, "a/b", ["1"], image, PushOptions())
    assert "1" in registry.manifests
    assert len(waits) == 1


async def test_a_manifest_that_is_new_comes_once_before_it_comes_twice_at_a_time(
    serve: Serve, connect: Connect, image: MemoryImage
) -> None:
    """Quay refuses it else (GoogleContainerTools/jib#2470)."""
    coming = 0

    async def quay(request: web.Request) -> web.Response:
        nonlocal coming
        if request.method != "PUT" or "/manifests/" not in request.path or registry.manifests:
            return await registry(request)
        if coming:
            error = {"code": "MANIFEST_INVALID", "message": "manifest invalid"}
            return web.json_response({"errors": [error]}, status=400)
        coming += 1
        await anyio.sleep(0.1)
        return await registry(request)

    registry = SmallRegistry(lambda _: None)
    async with serve(quay) as host, connect(host) as client:
        await push(client, "a/b", ["1", "2", "3"], image, PushOptions())
    assert set(registry.manifests) == {"1", "2", "3"}


class TestTagsThatMustNotChange:
    """As of Amazon's, Harbor, Artifactory, Docker Hub (moby/buildkit#3776)."""

    @staticmethod
    def immutable(registry: SmallRegistry, request: web.Request) -> web.Response | None:
        name = request.path.rpartition("/")[2]
        if request.method != "PUT" or name not in registry.manifests:
            return None
        error = {"code": "TAG_INVALID", "message": "the tag is there already: it is immutable"}
        return web.json_response({"errors": [error]}, status=400)

    async def test_one_that_was_written_though_its_answer_was_lost_is_pushed(
        self, serve: Serve, connect: Connect, image: MemoryImage
    ) -> None:
        def odd(request: web.Request) -> web.Response | None:
            writing = request.method == "PUT" and "/manifests/" in request.path
            if writing and "1" not in registry.manifests:
                registry.manifests["1"] = request._read_bytes or b""
                return cut(request)
            return self.immutable(registry, request)

        registry = SmallRegistry(odd)
        async with serve(registry) as host, connect(host) as client:
            done = await push(client, "a/b", ["1"], image, PushOptions())
        assert registry.manifests["1"] == done.manifest.content

    async def test_a_second_one_that_is_this_image_already_is_pushed(
        self, serve: Serve, connect: Connect, image: MemoryImage
    ) -> None:
        registry = SmallRegistry(lambda request: self.immutable(registry, request))
        async with serve(registry) as host, connect(host) as client:
            await push(client, "a/b", ["2"], image, PushOptions())
            done = await push(client, "a/b", ["1", "2"], image, PushOptions())
        assert set(done.tags) == {"1", "2"}

    async def test_one_that_is_this_image_without_its_blobs_is_no_push(
        self, serve: Serve, connect: Connect, image: MemoryImage
    ) -> None:
        def odd(request: web.Request) -> web.Response | None:
            if request.method != "PUT":
                return None
            error = {"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}
            return web.json_response({"errors": [error]}, status=404)

        registry = SmallRegistry(lambda _: None)
        async with serve(registry) as host, connect(host) as client:
            done = await push(client, "a/b", ["1"], image, PushOptions())
            registry._odd = odd
            with pytest.raises(RegistryError, match="MANIFEST_BLOB_UNKNOWN"):
                await client.put_manifest("a/b", "1", done.manifest)

    async def test_one_that_is_another_image_is_refused(
        self, serve: Serve, connect: Connect, image: MemoryImage
    ) -> None:
        registry = SmallRegistry(lambda request: self.immutable(registry, request))
        registry.manifests["1"] = b"{}"
        async with serve(registry) as host, connect(host) as client:
            with pytest.raises(RegistryError, match="immutable"):
                await push(client, "a/b", ["1"], image, PushOptions())


class TestManifestsThatAreNotShownToHead:
    """Nexus says 404 (crazy-max/diun#1614), others refuse (containerd/containerd#6684)."""

    @pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 501])
    async def test_a_tag_that_only_get_shows_is_proved(
        self,
        serve: Serve,
        connect: Connect,
        image: MemoryImage,
        waits: list[float],
        status: int,
    ) -> None:
        def odd(request: web.Request) -> web.Response | None:
            asking = request.method == "HEAD" and "/manifests/" in request.path
            return web.Response(status=status) if asking else None

        registry = SmallRegistry(odd)
        async with serve(registry) as host, connect(host) as client:
            done = await push(client, "a/b", ["1"], image, PushOptions())
            assert await client.head_manifest("a/b", "1") == done.manifest.digest
        assert waits == []

    async def test_what_a_tag_stands_for_need_not_be_an_image(
        self, serve: Serve, connect: Connect
    ) -> None:
        registry = SmallRegistry(
            lambda request: web.Response(status=404) if request.method == "HEAD" else None
        )
        registry.manifests["1"] = b"a chart"
        async with serve(registry) as host, connect(host) as client:
            assert await client.head_manifest("a/b", "1") == Digest.of(b"a chart")

    async def test_a_limit_of_pulls_does_not_make_one_that_is_not_there_an_error(
        self, serve: Serve, connect: Connect, waits: list[float]
    ) -> None:
        def odd(request: web.Request) -> web.Response | None:
            return web.Response(status=429) if request.method == "GET" else None

        async with serve(SmallRegistry(odd)) as host, connect(host) as client:
            assert await client.head_manifest("a/b", "1") is None
        assert waits == []


async def test_a_registry_that_names_no_digest_may_lag_behind(
    serve: Serve, connect: Connect, image: MemoryImage
) -> None:
    """distribution/distribution#3848"""
    old = iter([str(Digest.of(b"before"))])

    def odd(request: web.Request) -> web.Response | None:
        if "/manifests/" not in request.path or request.method == "GET":
            return None
        if request.method == "PUT":
            registry.manifests["1"] = request._read_bytes or b""
            return web.Response(status=201)
        shown = next(old, None)
        return web.Response(headers={"Docker-Content-Digest": shown}) if shown else None

    registry = SmallRegistry(odd)
    async with serve(registry) as host, connect(host) as client:
        done = await push(client, "a/b", ["1"], image, PushOptions())
    assert registry.manifests["1"] == done.manifest.content
    assert registry.count("HEAD manifests") == 2


@pytest.mark.parametrize("store", ["http://127.0.0.1:1", "http://store.example"])
async def test_a_layer_that_is_kept_where_we_do_not_reach_is_not_sent_again(
    serve: Serve, connect: Connect, image: MemoryImage, waits: list[float], store: str
) -> None:
    """In an object store of an inner network (distribution/distribution#1300)."""

    def odd(request: web.Request) -> web.Response | None:
        if request.method != "HEAD" or request.path.rpartition("/")[2] not in registry.blobs:
            return None
        return web.Response(status=307, headers={"Location": f"{store}/data?Signature=x"})

    registry = SmallRegistry(odd)
    async with serve(registry) as host, connect(host) as client:
        first = await push(client, "a/b", ["1"], image, PushOptions())
        sent = registry.count("POST uploads")
        again = await push(
            client, "a/b", ["2"], image, PushOptions(candidates=known_of(image, first))
        )
    assert registry.count("POST uploads") == sent
    assert again.manifest == first.manifest
    assert waits == []


async def test_a_layer_of_which_head_tells_no_size_is_not_sent_again(
    serve: Serve, connect: Connect, image: MemoryImage
) -> None:
    """Web frameworks say Content-Length: 0 to HEAD where nobody sets it."""

    def odd(request: web.Request) -> web.Response | None:
        looking = request.method == "HEAD" and request.path.rpartition("/")[2] in registry.blobs
        return web.Response(headers={"Content-Length": "0"}) if looking else None

    registry = SmallRegistry(odd)
    async with serve(registry) as host, connect(host) as client:
        first = await push(client, "a/b", ["1"], image, PushOptions())
        sent = registry.count("POST uploads")
        again = await push(
            client, "a/b", ["2"], image, PushOptions(candidates=known_of(image, first))
        )
    assert registry.count("POST uploads") == sent
    assert again.manifest == first.manifest


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


async def test_a_tag_that_lags_behind_holds_up_nothing_else(serve: Serve, connect: Connect) -> None:
    """Only what asks for it waits: the host is well."""
    asleep = anyio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await anyio.sleep_forever()

    registry = SmallRegistry(lambda _: None)
    async with serve(registry) as host, connect(host) as client:
        client._line.backoff.clock = replace(client.clock, sleep=sleep)
        absent = Digest.of(b"x")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(client.await_manifest, "a/b", "1", absent, looks=2))
            await asleep.wait()
            with anyio.fail_after(5):
                assert not await client.blob_exists("a/b", absent)
            tasks.cancel_scope.cancel()
