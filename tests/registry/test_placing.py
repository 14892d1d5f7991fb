"""Layers that need not be sent: remembered, mounted, published, or on their way already."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from longshore.errors import RegistryDenied
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression
from longshore.registry.blobs import BlobBytes
from longshore.registry.memory import LayerCache, LayerMemory, Remembered
from longshore.registry.placed import Candidate
from longshore.registry.placing import Placer
from longshore.registry.publish import PushedImage
from longshore.registry.push import PushOptions, push
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.faults import FORBIDDEN, Redirect, Script, on
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import TokenAuth
from longshore.testing.stored import MemoryImage, MemoryLayer, PackedLayer

from .conftest import Collecting, Connect, MakeBytes, Serve

OpenPlacer = Callable[[str], AbstractAsyncContextManager[Placer]]
REPOSITORY = "team/app"
USERS = {"bob": "pw-of-bob"}
BOB = Credential(username="bob", password=Secret("pw-of-bob"))


@pytest.fixture
def image(some_bytes: MakeBytes) -> MemoryImage:
    """Three layers."""
    return MemoryImage([MemoryLayer(some_bytes(400_000, seed)) for seed in range(3)])


@pytest.fixture
def placer(connect: Connect, tmp_path: Path) -> OpenPlacer:
    """Opens what a process of its own would have: a client, and the memory all share."""

    @asynccontextmanager
    async def make(host: str) -> AsyncIterator[Placer]:
        with closing(LayerCache(tmp_path / "cache")) as memory:
            async with connect(host) as client:
                yield Placer(client=client, memory=memory)

    return make


def _packed(blob: bytes, diff_id: Digest) -> MemoryImage:
    """An image that says that this gzip holds that layer."""
    return MemoryImage([PackedLayer(blob, diff_id, Compression.GZIP)])


async def _push(
    placer: Placer, image: MemoryImage, place: str = REPOSITORY, tag: str = "1"
) -> PushedImage:
    return await push(placer.client, place, [tag], image, PushOptions(), placer)


async def test_a_new_layer_on_known_ones_is_all_that_is_read(
    placer: OpenPlacer, image: MemoryImage, some_bytes: MakeBytes
) -> None:
    async with faulty_registry() as registry:
        async with placer(registry.host) as first:
            await _push(first, image)
        larger = MemoryImage([*image.sources, MemoryLayer(some_bytes(100_000, 9))])
        async with placer(registry.host) as second:
            pushed = await _push(second, larger)
    assert larger.opened == [1, 1, 1, 1]
    assert [one.route for one in pushed.deliveries] == ["exists"] * 3 + ["sent"]


async def test_layers_are_mounted_from_where_an_earlier_process_pushed_them(
    placer: OpenPlacer, image: MemoryImage
) -> None:
    async with faulty_registry() as registry:
        async with placer(registry.host) as first:
            await _push(first, image)
        async with placer(registry.host) as second:
            pushed = await _push(second, image, "other/place")
    assert image.opened == [1, 1, 1]
    assert {(one.route, one.source) for one in pushed.deliveries} == {("mounted", REPOSITORY)}


async def test_a_registry_that_was_emptied_gets_everything_again(
    placer: OpenPlacer, image: MemoryImage
) -> None:
    async with faulty_registry() as full, placer(full.host) as first:
        await _push(first, image)
        async with faulty_registry() as empty, placer(empty.host) as second:
            second.memory = _Renamed(first.memory, full.host)
            pushed = await _push(second, image)
            assert await second.client.head_manifest(REPOSITORY, "1") == pushed.manifest.digest
    assert image.opened == [2, 2, 2]


class _Renamed:
    """The memory of one host, believed of another."""

    def __init__(self, memory: LayerMemory, host: str) -> None:
        self._memory = memory
        self._host = host

    async def recall(self, host: str, diff_id: Digest, codec: str) -> Remembered | None:
        return await self._memory.recall(self._host, diff_id, codec)

    async def learn(self, host: str, diff_id: Digest, codec: str, found: Remembered) -> None:
        pass


class _Liar:
    """A memory that tells one blob of every layer."""

    def __init__(self, found: Remembered) -> None:
        self._found = found

    async def recall(self, host: str, diff_id: Digest, codec: str) -> Remembered | None:
        return self._found

    async def learn(self, host: str, diff_id: Digest, codec: str, found: Remembered) -> None:
        pass


async def test_a_memory_that_names_a_blob_of_another_size_changes_nothing(
    connect: Connect, image: MemoryImage
) -> None:
    other = b"a blob of something else"
    lie = Remembered(digest=Digest.of(other), size=7, compression=Compression.GZIP)
    async with faulty_registry() as registry, connect(registry.host) as client:
        await client.upload_blob(REPOSITORY, BlobBytes(other))
        pushed = await _push(Placer(client=client, memory=_Liar(lie)), image)
        for layer, source in zip(pushed.manifest.layers, image.sources, strict=True):
            async with client.get_blob(REPOSITORY, layer.digest) as data:
                packed = b"".join([piece async for piece in data])
            assert gzip.decompress(packed) == source.content


@pytest.mark.parametrize("own_process", [True, False])
async def test_what_an_image_says_of_a_blob_nobody_has_read_is_believed_of_no_other_image(
    placer: OpenPlacer, image: MemoryImage, own_process: bool
) -> None:
    foreign = gzip.compress(b"something else")
    genuine = image.sources[0]
    assert genuine.diff_id is not None
    async with faulty_registry() as registry, placer(registry.host) as first:
        # Where it is already, it is not read, so that its content is not seen.
        await first.client.upload_blob(REPOSITORY, BlobBytes(foreign))
        await _push(first, _packed(foreign, genuine.diff_id), tag="claimed")
        async with placer(registry.host) as second:
            pushed = await _push(second if own_process else first, image)
        async with first.client.get_blob(REPOSITORY, pushed.manifest.layers[0].digest) as data:
            packed = b"".join([piece async for piece in data])
    assert gzip.decompress(packed) == genuine.content


async def test_a_packed_layer_that_was_read_is_remembered_for_other_images(
    placer: OpenPlacer, image: MemoryImage
) -> None:
    layer = image.sources[0]
    assert layer.diff_id is not None
    blob = gzip.compress(layer.content)
    async with faulty_registry() as registry:
        async with placer(registry.host) as first:
            await _push(first, _packed(blob, layer.diff_id), "base/image")
        async with placer(registry.host) as second:
            pushed = await _push(second, image)
    assert pushed.deliveries[0].source == "base/image"
    assert image.opened == [0, 1, 1]


async def test_two_images_that_share_layers_send_them_once_though_pushed_at_the_same_time(
    connect: Connect, image: MemoryImage, some_bytes: MakeBytes
) -> None:
    second = MemoryImage([*image.sources, MemoryLayer(some_bytes(50_000, 7))])
    async with faulty_registry() as registry, connect(registry.host) as client:
        placer = Placer(client=client)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_push, placer, image, REPOSITORY, "1")
            tasks.start_soon(_push, placer, second, REPOSITORY, "2")
            tasks.start_soon(_push, placer, second, "other/place", "1")
        tags = [(REPOSITORY, "1"), (REPOSITORY, "2"), ("other/place", "1")]
        assert None not in [await client.head_manifest(*tag) for tag in tags]
    assert second.opened == [1, 1, 1, 1]


async def test_a_blob_the_engine_noted_is_used_when_it_is_packed_as_wanted(
    connect: Connect, image: MemoryImage
) -> None:
    layer = image.sources[0]
    assert layer.diff_id is not None
    published, bare = gzip.compress(layer.content), layer.content
    async with faulty_registry() as registry, connect(registry.host) as client:
        for blob in (published, bare):
            await client.upload_blob("library/base", BlobBytes(blob))
        noted = tuple(
            Candidate(digest=Digest.of(blob), compression=None, repositories=("library/base",))
            for blob in (bare, published)
        )
        options = PushOptions(candidates={layer.diff_id: noted})
        pushed = await push(client, REPOSITORY, ["1"], image, options)
    assert pushed.manifest.layers[0].digest == Digest.of(published)
    assert pushed.manifest.layers[0].size == len(published)
    assert pushed.deliveries[0].source == "library/base"
    assert image.opened == [0, 1, 1]


async def test_a_noted_blob_that_cannot_be_looked_into_is_sent(
    connect: Connect, image: MemoryImage
) -> None:
    """Its bytes may be on a host that this machine does not reach; `docker push` never asks."""
    layer = image.sources[0]
    assert layer.diff_id is not None
    published = gzip.compress(layer.content)
    plan = Script([on("GET blob", Redirect(base="http://storage.invalid"), times=None)])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        await client.upload_blob(REPOSITORY, BlobBytes(published))
        noted = Candidate(digest=Digest.of(published), compression=None, repositories=())
        options = PushOptions(candidates={layer.diff_id: (noted,)})
        pushed = await push(client, REPOSITORY, ["1"], image, options)
    assert pushed.manifest.layers[0].digest != noted.digest
    assert image.opened == [1, 1, 1]


async def test_blobs_collected_before_the_manifest_came_are_sent_again(
    connect: Connect, image: MemoryImage
) -> None:
    """The configuration is one of them."""
    async with faulty_registry() as registry, connect(registry.host) as client:
        registry.plan = plan = Collecting(registry.storage, REPOSITORY)
        pushed = await _push(Placer(client=client), image)
        assert await client.head_manifest(REPOSITORY, "1") == pushed.manifest.digest
        for blob in pushed.manifest.blobs:
            assert await client.blob_exists(REPOSITORY, blob.digest)
    assert len(plan.collected) == 4
    assert image.opened == [2, 2, 2]


async def test_nothing_but_manifests_comes_after_the_first_manifest(
    connect: Connect, image: MemoryImage
) -> None:
    async with faulty_registry() as registry, connect(registry.host) as client:
        await _push(Placer(client=client), image)
        kinds = [(one.method, one.path.split("?")[0]) for one in registry.recorded]
    put = next(
        i for i, (method, path) in enumerate(kinds) if method == "PUT" and "manifests" in path
    )
    assert all("manifests" in path for _, path in kinds[put:])


@pytest.mark.parametrize("refused_by", ["a missing right", "the registry"])
@pytest.mark.parametrize("packed", [False, True], ids=["remembered", "packed"])
async def test_a_repository_that_may_not_be_mounted_from_is_tried_once(
    connect: Connect, some_bytes: MakeBytes, packed: bool, refused_by: str
) -> None:
    """However many layers are said to lie there."""
    source = "secret/base"
    layers: list[MemoryLayer] = [MemoryLayer(some_bytes(1000, seed)) for seed in range(12)]
    if packed:
        layers = [
            PackedLayer(gzip.compress(one.content), Digest.of(one.content), Compression.GZIP)
            for one in layers
        ]
    image = MemoryImage(layers)
    candidates = {
        layer.diff_id: (Candidate(digest=Digest.of(str(place).encode()), repositories=(source,)),)
        for place, layer in enumerate(layers)
        if layer.diff_id
    }
    options = PushOptions(candidates=candidates, mount_from=(source,))
    auth = TokenAuth(users=USERS, denied=frozenset({f"repository:{source}:pull"}))
    by_registry = Script([on("POST uploads", FORBIDDEN, path="mount=", times=None)])
    async with (
        faulty_registry(
            auth=auth if refused_by == "a missing right" else None,
            plan=by_registry if refused_by == "the registry" else None,
        ) as registry,
        connect(registry.host, credential=BOB) as client,
    ):
        pushed = await push(client, REPOSITORY, ["1"], image, options)
        tries = [record for record in registry.requests("POST") if "mount=" in record.path]
    assert len(pushed.sent) == 12
    # A refused token is renewed once.
    assert len(tries) == (2 if refused_by == "a missing right" else 1)
    assert len(auth.asked) == (3 if refused_by == "a missing right" else 0)


async def test_a_repository_that_lacks_one_layer_is_asked_for_the_others(
    placer: OpenPlacer, image: MemoryImage
) -> None:
    """Sending a layer costs far more than a question."""
    async with faulty_registry() as registry:
        async with placer(registry.host) as first:
            pushed = await _push(first, image)
        gone = pushed.manifest.layers[0].digest
        registry.storage.delete_blob(REPOSITORY, gone)
        async with placer(registry.host) as second:
            pushed = await _push(second, image, "other/place")
    assert sorted(one.route for one in pushed.deliveries) == ["mounted", "mounted", "sent"]


async def test_the_uploads_of_refused_mounts_take_the_layers(
    placer: OpenPlacer, image: MemoryImage
) -> None:
    """Nothing is done twice: one POST a layer, and nothing is thrown away."""
    async with faulty_registry() as registry:
        async with placer(registry.host) as first:
            pushed = await _push(first, image)
        for layer in pushed.manifest.layers:
            registry.storage.delete_blob(REPOSITORY, layer.digest)
        registry.recorded.clear()
        async with placer(registry.host) as second:
            await _push(second, image, "other/place")
        assert len(registry.requests("POST")) == 4  # the configuration has one of its own
        assert not registry.requests("DELETE")


async def test_a_layer_looked_for_in_vain_is_not_looked_for_again_before_it_is_placed(
    placer: OpenPlacer, image: MemoryImage
) -> None:
    async with faulty_registry() as registry:
        async with placer(registry.host) as first:
            pushed = await _push(first, image)
        gone, layer = pushed.manifest.layers[0].digest, image.layers[0]
        assert layer.diff_id is not None
        registry.storage.delete_blob(REPOSITORY, gone)
        registry.recorded.clear()
        async with placer(registry.host) as second:
            for _ in range(2):
                assert await second.find(REPOSITORY, layer.diff_id, (), "layer 1") is None
            assert len(registry.requests("HEAD")) == 1
            placed = await second.place(REPOSITORY, layer, (), "layer 1")
            assert len(registry.requests("HEAD")) == 1
            assert await second.find(REPOSITORY, layer.diff_id, (), "layer 1") == placed
    assert placed.delivery.route == "sent"


async def test_a_layer_whose_size_the_registry_does_not_tell_has_its_own_in_the_manifest(
    serve: Serve, connect: Connect
) -> None:
    content = b"the layer"
    blob = gzip.compress(content)
    manifests: list[bytes] = []

    async def untold(request: web.Request) -> web.Response:
        if "/blobs/" in request.path:
            answer = web.Response()
            answer.enable_chunked_encoding()
            return answer
        if request.method == "PUT":
            manifests.append(await request.read())
        if not manifests:
            return web.Response(status=404)
        digest = str(Digest.of(manifests[0]))
        status = 201 if request.method == "PUT" else 200
        return web.Response(status=status, headers={"Docker-Content-Digest": digest})

    async with serve(untold) as host, connect(host) as client:
        assert await client.find_blob(REPOSITORY, Digest.of(blob)) == -1
        image = _packed(blob, Digest.of(content))
        pushed = await push(client, REPOSITORY, ["1"], image, PushOptions())
    assert [layer.size for layer in pushed.manifest.layers] == [len(blob)]
    assert image.opened == [0]


async def test_a_layer_that_could_not_be_placed_is_looked_for_again(
    placer: OpenPlacer, image: MemoryImage
) -> None:
    layer = image.layers[0]
    assert layer.diff_id is not None
    async with faulty_registry() as registry:
        async with placer(registry.host) as first:
            blob = (await _push(first, image)).manifest.layers[0].digest
            async with first.client.get_blob(REPOSITORY, blob) as data:
                content = b"".join([piece async for piece in data])
        registry.storage.delete_blob(REPOSITORY, blob)
        async with placer(registry.host) as second:
            assert await second.find(REPOSITORY, layer.diff_id, (), "layer 1") is None
            registry.plan = Script([on("POST uploads", FORBIDDEN)])
            with pytest.raises(RegistryDenied):
                await second.place(REPOSITORY, layer, (), "layer 1")
            await second.client.upload_blob(REPOSITORY, BlobBytes(content))
            placed = await second.place(REPOSITORY, layer, (), "layer 1")
    assert placed.delivery.route == "exists"
    assert image.opened[0] == 1
