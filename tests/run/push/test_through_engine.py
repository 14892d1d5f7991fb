"""A store that only the engine may read, read through it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from longshore.environment import Environment
from longshore.errors import ContentMismatch
from longshore.image.compression import CompressionOptions
from longshore.oci.manifest import Manifest, parse_manifest
from longshore.oci.media_types import Compression, Format
from longshore.registry.client import Access
from longshore.registry.server.routes import Kind
from longshore.run.push.registry_pusher import opened_pusher
from longshore.run.push.settings import PusherChoice, PushSettings
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage
from longshore.testing.faults import Script, WrongDigest, on
from longshore.testing.overlay2_store import write_store
from longshore.testing.registry import FaultyRegistry, faulty_registry

from .conftest import Pushing


@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.ZSTD])
async def test_a_store_that_only_the_engine_can_read_is_read_through_it(
    pushing: Pushing, tmp_path: Path, compression: Compression
) -> None:
    told: list[str] = []
    packing = CompressionOptions(compression=compression)
    form = Format.OCI if compression is Compression.ZSTD else None
    settings = PushSettings(pusher=PusherChoice.OWN, compression=packing, format=form, explain=True)
    async with faulty_registry() as registry, pushing.reading_engine(tmp_path / "root") as engine:
        async with pushing.pusher(engine, settings) as pusher:
            done = await pusher.push(pushing.request(registry, told))
        assert engine.methods().count("export") == 0
        assert engine.leftovers() == ()
        assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    assert done[0].summary.startswith("(2 layers sent, 0 existing")
    assert any("through the engine" in line for line in told), told


async def test_only_layers_that_are_missing_are_read_through_the_engine(
    pushing: Pushing, tmp_path: Path
) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    base = FakeImage(layers=pushing.image.layers[:1])
    async with faulty_registry() as registry, pushing.reading_engine(tmp_path / "root") as engine:
        write_store(tmp_path / "base", base.config, base.layer_tars)
        async with pushing.pusher(engine, settings) as pusher:
            engine.images[base.id] = base
            engine.engine_info = replace(engine.engine_info, data_root=tmp_path / "base")
            await pusher.push(
                replace(pushing.request(registry, [], "team/app:base"), image=base.info)
            )
            engine.engine_info = replace(engine.engine_info, data_root=tmp_path / "root")
            engine.calls.clear()
            await pusher.push(pushing.request(registry, []))
    read = [str(call.detail) for call in engine.calls if call.method == "read_file"]
    assert len([path for path in read if path.endswith("/diff")]) == len(pushing.image.layers) - 1


async def test_layers_sent_early_through_the_engine_are_not_read_again(
    pushing: Pushing, tmp_path: Path
) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with faulty_registry() as registry, pushing.reading_engine(tmp_path / "root") as engine:
        async with pushing.pusher(engine, settings) as pusher:
            assert await pusher.prepare(pushing.request(registry, []))
            assert registry.requests("PUT", Kind.MANIFEST) == []
            engine.calls.clear()
            await pusher.push(pushing.request(registry, []))
        assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    assert not {"create", "export"} & set(engine.methods())


@pytest.mark.parametrize("readable", [True, False], ids=["by the engine", "by nobody"])
async def test_what_the_registry_has_answered_is_not_asked_again(
    pushing: Pushing, tmp_path: Path, readable: bool
) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with faulty_registry() as registry, pushing.reading_engine(tmp_path / "root") as engine:
        if not readable:
            engine.engine_info = replace(engine.engine_info, storage_driver="btrfs")
        async with pushing.pusher(engine, settings) as pusher:
            await pusher.push(pushing.request(registry, []))
        _lose_the_last_layer(registry)
        registry.recorded.clear()
        async with pushing.pusher(engine, settings) as pusher:
            await pusher.push(pushing.request(registry, []))
    questions = [
        (one.method, one.path) for one in registry.recorded if one.method in ("GET", "HEAD")
    ]
    assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    assert sorted(questions) == sorted(set(questions))


def _lose_the_last_layer(registry: FaultyRegistry) -> None:
    """And the manifest."""
    storage, place = registry.storage, "team/app"
    [digest] = storage.manifests(place)
    stored = storage.manifest(place, digest)
    assert stored is not None
    manifest = parse_manifest(stored.content, stored.media_type)
    assert isinstance(manifest, Manifest)
    storage.delete_manifest(place, digest)
    storage.delete_blob(place, manifest.layers[-1].digest)


async def test_nothing_changed_makes_no_container(pushing: Pushing, tmp_path: Path) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with faulty_registry() as registry, pushing.reading_engine(tmp_path / "root") as engine:
        async with pushing.pusher(engine, settings) as pusher:
            await pusher.push(pushing.request(registry, []))
            engine.calls.clear()
            await pusher.push(pushing.request(registry, []))
        assert "create" not in engine.methods()


async def _damaged(pushing: Pushing, registry: FaultyRegistry, engine: FakeEngine) -> list[str]:
    """What is told of a push, of which one manifest has to come in any case."""
    told: list[str] = []
    settings = PushSettings(pusher=PusherChoice.OWN, explain=True)
    async with pushing.pusher(engine, settings) as pusher:
        await pusher.prepare(pushing.request(registry, told))
        await pusher.push(pushing.request(registry, told))
    assert engine.methods().count("export") == 1
    assert engine.leftovers() == ()
    assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    return told


async def test_a_layer_the_engine_cannot_give_is_exported(pushing: Pushing, tmp_path: Path) -> None:
    async with faulty_registry() as registry, pushing.reading_engine(tmp_path / "root") as engine:
        for path in (tmp_path / "root" / "overlay2").rglob("data"):
            path.unlink()
        told = await _damaged(pushing, registry, engine)
    assert any("exporting the image" in line and "through the engine" in line for line in told)


async def test_a_layer_that_is_another_one_there_is_exported(
    pushing: Pushing, tmp_path: Path
) -> None:
    async with faulty_registry() as registry, pushing.reading_engine(tmp_path / "root") as engine:
        for path in (tmp_path / "root" / "overlay2").rglob("data"):
            path.write_bytes(bytes(path.stat().st_size))
        told = await _damaged(pushing, registry, engine)
    assert any("has the digest" in line for line in told)


async def test_an_administrator_can_forbid_the_container(pushing: Pushing, tmp_path: Path) -> None:
    values = {"XDG_CACHE_HOME": str(tmp_path), "LONGSHORE_NO_STORE_CONTAINER": "1"}
    access = Access(environment=Environment(values))
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with (
        faulty_registry() as registry,
        pushing.reading_engine(tmp_path / "root") as engine,
        opened_pusher(engine, access, settings) as pusher,
    ):
        await pusher.push(pushing.request(registry, []))
    assert "create" not in engine.methods()
    assert engine.methods().count("export") == 1


async def test_what_the_registry_says_of_a_digest_does_not_have_the_image_pushed_once_more(
    pushing: Pushing, tmp_path: Path
) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    lies = Script([on(f"{how} manifest", WrongDigest(), times=None) for how in ("PUT", "HEAD")])
    async with (
        faulty_registry(plan=lies) as registry,
        pushing.reading_engine(tmp_path / "root") as engine,
        pushing.pusher(engine, settings) as pusher,
    ):
        with pytest.raises(ContentMismatch, match="0000"):
            await pusher.push(pushing.request(registry, []))
        assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    assert "export" not in engine.methods()
