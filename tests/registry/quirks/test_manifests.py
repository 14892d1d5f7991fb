"""Registries that refuse or lag behind once the manifest and its tags come."""

from __future__ import annotations

from functools import partial

import anyio
import pytest
from aiohttp import web
from msgspec.structs import replace

from longshore.errors import RegistryError
from longshore.oci.digest import Digest
from longshore.registry.push import PushOptions, push
from longshore.testing.stored import MemoryImage

from ..conftest import Connect, Serve
from ..small_registry import SmallRegistry, cut


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
