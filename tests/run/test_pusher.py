"""Which way an image of the engine takes, when its store can be read and when it cannot."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import cast

import pytest

from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.port import Engine
from longshore.engine.spec import EngineInfo
from longshore.environment import Environment
from longshore.errors import ContentMismatch, RegistryError, UsageError
from longshore.image.compression import CompressionOptions
from longshore.image.overlay2 import chain_ids
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression, Format
from longshore.oci.reference import ImageReference
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.push import PushOptions, push
from longshore.registry.server.routes import Kind
from longshore.run.image_source import diff_ids_of
from longshore.run.push import Pusher, PushRequest
from longshore.run.push_settings import PusherChoice, PushSettings
from longshore.run.pusher import opened_pusher
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage
from longshore.testing.faults import FORBIDDEN, TOO_MANY, Script, on
from longshore.testing.overlay2_store import write_store
from longshore.testing.registry import FaultyRegistry, faulty_registry
from longshore.testing.registry_auth import TokenAuth
from longshore.testing.stored import MemoryImage, MemoryLayer

IMAGE = FakeImage(
    layers=({"data": Random(1).randbytes(100_000)}, {"more": Random(2).randbytes(50_000)})
)
LOCAL = replace(FakeEngine().engine_info, local=True, data_root=Path("/nowhere"))


@asynccontextmanager
async def _pusher(
    engine: Engine, directory: Path, settings: PushSettings | None = None
) -> AsyncIterator[Pusher]:
    access = Access(environment=Environment({"XDG_CACHE_HOME": str(directory)}))
    async with opened_pusher(engine, access, settings or PushSettings()) as pusher:
        yield pusher


def _request(registry: FaultyRegistry, told: list[str], *names: str) -> PushRequest:
    targets = tuple(
        ImageReference.parse(f"{registry.host}/{name}") for name in names or ("team/app:1",)
    )
    return PushRequest(image=IMAGE.info, name="app", targets=targets, on_line=told.append)


async def _bring(reference: str, image: FakeImage) -> str:
    """What an engine's push does at the registry."""
    place = ImageReference.parse(reference)
    contents = MemoryImage([MemoryLayer(tar) for tar in image.layer_tars])
    digest = Digest.parse(image.id)
    contents.parts = replace(contents.parts, config=image.config, config_digest=digest)
    access = Access(environment=Environment({}))
    async with RegistryClient(host=place.registry, access=access) as client:
        tags = [place.tag_or_latest]
        done = await push(client, place.repository, tags, contents, PushOptions())
    return str(done.manifest.digest)


def _engine() -> FakeEngine:
    images = {"app:latest": IMAGE, IMAGE.id: IMAGE}
    return FakeEngine(images=images, engine_info=LOCAL, on_push=_bring)


async def test_a_small_image_of_a_closed_store_is_left_to_the_engine(tmp_path: Path) -> None:
    told: list[str] = []
    settings = PushSettings(explain=True)
    async with (
        faulty_registry() as registry,
        _engine() as engine,
        _pusher(engine, tmp_path, settings) as pusher,
    ):
        done = await pusher.push(_request(registry, told))
    assert list(engine.pushed) == [f"{registry.host}/team/app:1"]
    assert done[0].summary.startswith("(2 layers sent, 0 existing, ")
    assert any("letting the engine push" in line for line in told), told
    assert any("its storage driver is fake" in line for line in told), told


@pytest.mark.parametrize("choice", [PusherChoice.AUTO, PusherChoice.ENGINE])
async def test_what_the_engine_pushed_is_looked_at_and_told_like_any_other_push(
    tmp_path: Path, choice: PusherChoice
) -> None:
    metadata = tmp_path / "pushed.json"
    settings = PushSettings(pusher=choice, verify=True, metadata_file=metadata)
    async with faulty_registry() as registry, _engine() as engine:
        async with _pusher(engine, tmp_path, settings) as pusher:
            done = await pusher.push(_request(registry, [], "team/app:1", "team/app:2"))
        heads = [one.path for one in registry.requests("HEAD")]
    assert list(engine.pushed) == [f"{registry.host}/team/app:{tag}" for tag in (1, 2)]
    assert {path.rpartition("/")[2] for path in heads if "manifests" in path} == {"1", "2"}
    [entry] = json.loads(metadata.read_text())["pushes"]
    assert entry["digest"] == done[0].digest
    assert entry["media_type"] == Format.DOCKER.manifest_type
    assert entry["source"] == "engine's own push"
    layers = [(layer["diff_id"], layer["route"]) for layer in entry["layers"]]
    assert layers == [(diff_id, "sent") for diff_id in IMAGE.info.diff_ids]
    for layer in entry["layers"]:
        assert f"/v2/team/app/blobs/{layer['digest']}" in heads  # --verify


async def test_an_engine_that_names_another_digest_than_the_registry_is_not_believed(
    tmp_path: Path,
) -> None:
    settings = PushSettings(pusher=PusherChoice.ENGINE)
    async with faulty_registry() as registry, _engine() as engine:
        engine.on_push = None
        async with _pusher(engine, tmp_path, settings) as pusher:
            with pytest.raises(ContentMismatch, match="team/app:1 is not there"):
                await pusher.push(_request(registry, []))


async def test_a_registry_that_only_the_engine_reaches_is_pushed_to_all_the_same(
    tmp_path: Path,
) -> None:
    told: list[str] = []
    settings = PushSettings(pusher=PusherChoice.ENGINE, limits=Limits(retries=0))
    async with faulty_registry() as registry:
        request = _request(registry, told)
    async with _engine() as engine, _pusher(engine, tmp_path, settings) as pusher:
        engine.on_push = None
        done = await pusher.push(request)
    assert done[0].summary.startswith("(by the engine's own push in ")
    assert any("only the engine says that sha256:" in line for line in told), told


async def test_an_engine_that_pushes_alone_prepares_nothing(tmp_path: Path) -> None:
    settings = PushSettings(pusher=PusherChoice.ENGINE)
    async with faulty_registry() as registry, _engine() as engine:
        async with _pusher(engine, tmp_path, settings) as pusher:
            assert not await pusher.prepare(_request(registry, []))
        assert registry.recorded == []


async def test_what_the_engine_cannot_do_goes_through_its_export(tmp_path: Path) -> None:
    settings = PushSettings(
        compression=CompressionOptions(compression=Compression.NONE), format=Format.OCI
    )
    async with faulty_registry() as registry, _engine() as engine:
        async with _pusher(engine, tmp_path, settings) as pusher:
            done = await pusher.push(_request(registry, [], "team/app:1", "team/app:2"))
        manifests = registry.requests("PUT", Kind.MANIFEST)
    assert not engine.pushed
    assert engine.methods().count("export") == 1
    assert len(manifests) == 2
    assert done[0].digest == done[1].digest


async def test_where_the_engines_push_fails_the_export_takes_over(tmp_path: Path) -> None:
    told: list[str] = []
    async with faulty_registry() as registry, _engine() as engine:
        engine.push_failures[f"{registry.host}/team/app:1"] = "unexpected EOF"
        async with _pusher(engine, tmp_path) as pusher:
            await pusher.push(_request(registry, told))
        assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    assert any("unexpected EOF; sending the layers ourselves instead" in line for line in told), (
        told
    )


def _reading_engine(root: Path) -> FakeEngine:
    """One whose store only it can read."""
    write_store(root, IMAGE.config, IMAGE.layer_tars)
    engine = _engine()
    engine.engine_info = replace(LOCAL, local=False, storage_driver="overlay2", data_root=root)
    return engine


@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.ZSTD])
async def test_a_store_that_only_the_engine_can_read_is_read_through_it(
    tmp_path: Path, compression: Compression
) -> None:
    told: list[str] = []
    packing = CompressionOptions(compression=compression)
    form = Format.OCI if compression is Compression.ZSTD else None
    settings = PushSettings(pusher=PusherChoice.OWN, compression=packing, format=form, explain=True)
    async with faulty_registry() as registry, _reading_engine(tmp_path / "root") as engine:
        async with _pusher(engine, tmp_path, settings) as pusher:
            done = await pusher.push(_request(registry, told))
        assert engine.methods().count("export") == 0
        assert engine.leftovers() == ()
        assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    assert done[0].summary.startswith("(2 layers sent, 0 existing")
    assert any("through the engine" in line for line in told), told


async def test_only_layers_that_are_missing_are_read_through_the_engine(tmp_path: Path) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    base = FakeImage(layers=IMAGE.layers[:1])
    async with faulty_registry() as registry, _reading_engine(tmp_path / "root") as engine:
        write_store(tmp_path / "base", base.config, base.layer_tars)
        async with _pusher(engine, tmp_path, settings) as pusher:
            engine.images[base.id] = base
            engine.engine_info = replace(engine.engine_info, data_root=tmp_path / "base")
            await pusher.push(replace(_request(registry, [], "team/app:base"), image=base.info))
            engine.engine_info = replace(engine.engine_info, data_root=tmp_path / "root")
            engine.calls.clear()
            await pusher.push(_request(registry, []))
    read = [str(call.detail) for call in engine.calls if call.method == "read_file"]
    assert len([path for path in read if path.endswith("/diff")]) == len(IMAGE.layers) - 1


async def test_layers_sent_early_through_the_engine_are_not_read_again(tmp_path: Path) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with faulty_registry() as registry, _reading_engine(tmp_path / "root") as engine:
        async with _pusher(engine, tmp_path, settings) as pusher:
            assert await pusher.prepare(_request(registry, []))
            assert registry.requests("PUT", Kind.MANIFEST) == []
            engine.calls.clear()
            await pusher.push(_request(registry, []))
        assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    assert not {"create", "export"} & set(engine.methods())


async def test_nothing_changed_makes_no_container(tmp_path: Path) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with faulty_registry() as registry, _reading_engine(tmp_path / "root") as engine:
        async with _pusher(engine, tmp_path, settings) as pusher:
            await pusher.push(_request(registry, []))
            engine.calls.clear()
            await pusher.push(_request(registry, []))
        assert "create" not in engine.methods()


async def _damaged(registry: FaultyRegistry, engine: FakeEngine, tmp_path: Path) -> list[str]:
    """What is told of a push, of which one manifest has to come in any case."""
    told: list[str] = []
    settings = PushSettings(pusher=PusherChoice.OWN, explain=True)
    async with _pusher(engine, tmp_path, settings) as pusher:
        await pusher.prepare(_request(registry, told))
        await pusher.push(_request(registry, told))
    assert engine.methods().count("export") == 1
    assert engine.leftovers() == ()
    assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    return told


async def test_a_layer_the_engine_cannot_give_is_exported(tmp_path: Path) -> None:
    async with faulty_registry() as registry, _reading_engine(tmp_path / "root") as engine:
        for path in (tmp_path / "root" / "overlay2").rglob("data"):
            path.unlink()
        told = await _damaged(registry, engine, tmp_path)
    assert any("exporting the image" in line and "through the engine" in line for line in told)


async def test_a_layer_that_is_another_one_there_is_exported(tmp_path: Path) -> None:
    async with faulty_registry() as registry, _reading_engine(tmp_path / "root") as engine:
        for path in (tmp_path / "root" / "overlay2").rglob("data"):
            path.write_bytes(bytes(path.stat().st_size))
        told = await _damaged(registry, engine, tmp_path)
    assert any("has the digest" in line for line in told)


async def test_an_administrator_can_forbid_the_container(tmp_path: Path) -> None:
    values = {"XDG_CACHE_HOME": str(tmp_path), "LONGSHORE_NO_STORE_CONTAINER": "1"}
    access = Access(environment=Environment(values))
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with (
        faulty_registry() as registry,
        _reading_engine(tmp_path / "root") as engine,
        opened_pusher(engine, access, settings) as pusher,
    ):
        await pusher.push(_request(registry, []))
    assert "create" not in engine.methods()
    assert engine.methods().count("export") == 1


def _half_readable_store(root: Path) -> Path:
    """A data root of overlay2 with IMAGE, of whose layers only the first can be read."""
    image = root / "image" / "overlay2"
    for place, (chain, diff_id) in enumerate(
        zip(chain_ids(diff_ids_of(IMAGE.info)), diff_ids_of(IMAGE.info), strict=True)
    ):
        entry = image / "layerdb" / "sha256" / chain.hex
        entry.mkdir(parents=True)
        (entry / "cache-id").write_text(f"cache{place}")
        (entry / "diff").write_text(str(diff_id))
        (root / "overlay2" / f"cache{place}" / "diff").mkdir(parents=True)
        record = entry / "tar-split.json.gz"
        if place:
            record.mkdir()  # the one thing that root cannot read either
        else:
            tar = base64.b64encode(IMAGE.layer_tars[place]).decode()
            record.write_bytes(gzip.compress(f'{{"type":2,"payload":"{tar}"}}\n'.encode()))
    config = image / "imagedb" / "content" / "sha256" / IMAGE.id.removeprefix("sha256:")
    config.parent.mkdir(parents=True)
    config.write_bytes(IMAGE.config)
    return root


async def test_a_store_that_can_be_read_in_part_only_is_exported(tmp_path: Path) -> None:
    told: list[str] = []
    settings = PushSettings(pusher=PusherChoice.OWN, explain=True)
    async with faulty_registry() as registry, _engine() as engine:
        root = _half_readable_store(tmp_path / "store")
        engine.engine_info = replace(LOCAL, storage_driver="overlay2", data_root=root)
        async with _pusher(engine, tmp_path, settings) as pusher:
            await pusher.prepare(_request(registry, told))
            assert engine.methods().count("export") == 1
            await pusher.push(_request(registry, told))
        assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
        sent = [one for one in registry.requests("PUT", Kind.UPLOAD) if one.status == 201]
    assert len(sent) == len(IMAGE.layers) + 1  # no layer twice, and the configuration
    why = next(line for line in told if "tar-split" in line and "Is a directory" in line)
    assert "exporting the image" in why


async def test_localhost_is_the_engines_when_it_is_on_another_machine(tmp_path: Path) -> None:
    async with faulty_registry() as registry, _engine() as engine:
        engine.engine_info = replace(LOCAL, local=False, data_root=None)
        engine.on_push = None
        async with _pusher(engine, tmp_path) as pusher:
            assert not await pusher.prepare(_request(registry, []))
            await pusher.push(_request(registry, []))
        assert registry.recorded == []  # what is here under that name is another one
    assert list(engine.pushed) == [f"{registry.host}/team/app:1"]


async def test_what_cannot_be_verified_is_not_pushed(tmp_path: Path) -> None:
    async with faulty_registry() as registry, _engine() as engine:
        engine.engine_info = replace(LOCAL, local=False, data_root=None)
        async with _pusher(engine, tmp_path, PushSettings(verify=True)) as pusher:
            with pytest.raises(UsageError, match="on the machine of the engine"):
                await pusher.push(_request(registry, []))
    assert not engine.pushed


async def test_a_layer_counts_as_sent_in_one_line_of_a_run(tmp_path: Path) -> None:
    base = IMAGE.layers[0]
    other = FakeImage(layers=(base, {"other": Random(3).randbytes(20_000)}))
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with faulty_registry() as registry, _engine() as engine:
        engine.images[other.id] = other
        requests = [
            _request(registry, []),
            _request(registry, [], "team/app:2", "team/copy:2"),
            replace(_request(registry, [], "team/app:other"), image=other.info),
        ]
        async with _pusher(engine, tmp_path, settings) as pusher:
            done = [await pusher.push(request) for request in requests]
    counts = [one.summary.partition(" existing")[0] for group in done for one in group]
    assert counts == [
        "(2 layers sent, 0",
        "(0 layers sent, 2",
        "(0 layers sent, 2 mounted, 0",
        "(1 layer sent, 1",
    ]


async def test_errors_name_the_reference_in_the_words_of_the_original(tmp_path: Path) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    plan = Script([on("POST uploads", FORBIDDEN, times=None)])
    async with (
        faulty_registry(plan=plan) as registry,
        _engine() as engine,
        _pusher(engine, tmp_path, settings) as pusher,
    ):
        with pytest.raises(RegistryError) as caught:
            await pusher.push(_request(registry, []))
    prefix = f"Image Push error for image {registry.host}/team/app:1, "
    assert caught.value.message.startswith(prefix)
    assert "DENIED: requested access to the resource is denied" in caught.value.message
    assert "no credential" in (caught.value.hint or "")


async def test_errors_name_the_tag_that_was_refused(tmp_path: Path) -> None:
    refused = Script([on("PUT manifest", FORBIDDEN, path="/2$", times=None)])
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with (
        faulty_registry(plan=refused) as registry,
        _engine() as engine,
        _pusher(engine, tmp_path, settings) as pusher,
    ):
        with pytest.raises(RegistryError) as caught:
            await pusher.push(_request(registry, [], "team/app:1", "team/app:2"))
    prefix = f"Image Push error for image {registry.host}/team/app:2, "
    assert caught.value.message.startswith(prefix)


async def test_a_metadata_file_of_before_is_gone_when_a_push_fails(tmp_path: Path) -> None:
    metadata = tmp_path / "pushed.json"
    metadata.write_text("of an earlier run")
    settings = PushSettings(pusher=PusherChoice.OWN, metadata_file=metadata)
    plan = Script([on("POST uploads", FORBIDDEN, times=None)])
    async with (
        faulty_registry(plan=plan) as registry,
        _engine() as engine,
        _pusher(engine, tmp_path, settings) as pusher,
    ):
        with pytest.raises(RegistryError):
            await pusher.push(_request(registry, []))
    assert not metadata.exists()


async def test_what_was_pushed_is_in_the_metadata_file_though_another_repository_refused(
    tmp_path: Path,
) -> None:
    metadata = tmp_path / "pushed.json"
    settings = PushSettings(pusher=PusherChoice.OWN, metadata_file=metadata)
    later = replace(TOO_MANY, retry_after="1")
    plan = Script(
        [
            on("PUT manifest", later, path="no/rights"),
            on("PUT manifest", FORBIDDEN, path="no/rights", first=2),
        ]
    )
    async with (
        faulty_registry(plan=plan) as registry,
        _engine() as engine,
        _pusher(engine, tmp_path, settings) as pusher,
    ):
        with pytest.raises(RegistryError):
            await pusher.push(_request(registry, [], "team/app:1", "no/rights:1"))
    pushes = json.loads(metadata.read_text())["pushes"]
    assert [one["repository"] for one in pushes] == [f"{registry.host}/team/app"]


@pytest.mark.parametrize("tokens", [False, True])
async def test_nothing_changed_takes_three_requests_and_reads_nothing(
    engine_endpoint: Endpoint, busybox_image: str, tmp_path: Path, tokens: bool
) -> None:
    """On a real engine, whose store is read where we may."""
    auth = TokenAuth() if tokens else None
    async with faulty_registry(auth=auth) as registry, connect(engine_endpoint) as engine:
        image = await engine.inspect_image(busybox_image)
        assert image is not None
        request = replace(_request(registry, []), image=image)
        async with _pusher(engine, tmp_path) as pusher:
            first = await pusher.push(request)
        registry.recorded.clear()
        async with _pusher(engine, tmp_path) as pusher:
            again = await pusher.push(request)
        asked = [(one.method, one.path) for one in registry.recorded]
    assert len(asked) <= 3, asked
    assert [one.digest for one in again] == [one.digest for one in first]
    assert again[0].summary.startswith("(0 layers sent, ")


class _Elsewhere:
    """A real engine that says it is on another machine, and where its data is there or not."""

    def __init__(self, engine: Engine, *, tells: bool) -> None:
        self._engine = engine
        self._tells = tells

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    async def info(self) -> EngineInfo:
        there = await self._engine.info()
        return replace(there, local=False, data_root=there.data_root if self._tells else None)


async def test_a_real_engine_gives_the_same_layers_on_every_way(
    engine_endpoint: Endpoint, busybox_image: str, tmp_path: Path
) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN, format=Format.DOCKER, explain=True)
    async with faulty_registry() as registry, connect(engine_endpoint) as engine:
        image = await engine.inspect_image(busybox_image)
        assert image is not None
        ways = {
            "directly": engine,
            "through the engine": cast(Engine, _Elsewhere(engine, tells=True)),
            "exporting": cast(Engine, _Elsewhere(engine, tells=False)),
        }
        digests = set()
        for place, (way, one) in enumerate(ways.items()):
            told: list[str] = []
            request = replace(_request(registry, told, f"team{place}/app:1"), image=image)
            async with _pusher(one, tmp_path / str(place), settings) as pusher:
                digests |= {pushed.digest for pushed in await pusher.push(request)}
            assert any(way in line for line in told), told
    assert len(digests) == 1
