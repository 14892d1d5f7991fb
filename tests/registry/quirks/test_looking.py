"""Registries that do not let us look, show less than there is, or send us elsewhere for it."""

from __future__ import annotations

import pytest
from aiohttp import web

from longshore.errors import RegistryError
from longshore.oci.digest import Digest
from longshore.registry.client import RegistryClient
from longshore.registry.placed import Candidate, Candidates, key_of
from longshore.registry.publish import PushedImage
from longshore.registry.push import PushOptions, push
from longshore.testing.stored import MemoryImage

from ..conftest import Connect, Serve
from ..small_registry import SmallRegistry


def known_of(image: MemoryImage, pushed: PushedImage) -> Candidates:
    """What is known of its layers after a push."""
    return {
        key_of(layer): (Candidate(digest=blob.digest, size=blob.size),)
        for layer, blob in zip(image.layers, pushed.manifest.layers, strict=True)
    }


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


async def _push_twice_and_send_once(
    client: RegistryClient, registry: SmallRegistry, image: MemoryImage
) -> None:
    first = await push(client, "a/b", ["1"], image, PushOptions())
    sent = registry.count("POST uploads")
    again = await push(client, "a/b", ["2"], image, PushOptions(candidates=known_of(image, first)))
    assert registry.count("POST uploads") == sent
    assert again.manifest == first.manifest


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
        await _push_twice_and_send_once(client, registry, image)
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
        await _push_twice_and_send_once(client, registry, image)
