"""What is left to the engine's own push, and what is made sure of afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from longshore.environment import Environment
from longshore.errors import ContentMismatch, UsageError
from longshore.oci.digest import Digest
from longshore.oci.media_types import Format
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.publish import see
from longshore.run.push import engine_push
from longshore.run.push.settings import PusherChoice, PushSettings
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_bench import FreeTime

from .conftest import Pushing


async def test_a_small_image_of_a_closed_store_is_left_to_the_engine(pushing: Pushing) -> None:
    told: list[str] = []
    settings = PushSettings(explain=True)
    async with (
        faulty_registry() as registry,
        pushing.engine() as engine,
        pushing.pusher(engine, settings) as pusher,
    ):
        done = await pusher.push(pushing.request(registry, told))
    assert list(engine.pushed) == [f"{registry.host}/team/app:1"]
    assert done[0].summary.startswith("(2 layers sent, 0 existing, ")
    assert any("letting the engine push" in line for line in told), told
    assert any("its storage driver is fake" in line for line in told), told


@pytest.mark.parametrize("choice", [PusherChoice.AUTO, PusherChoice.ENGINE])
async def test_what_the_engine_pushed_is_looked_at_and_told_like_any_other_push(
    pushing: Pushing, tmp_path: Path, choice: PusherChoice
) -> None:
    metadata = tmp_path / "pushed.json"
    settings = PushSettings(pusher=choice, verify=True, metadata_file=metadata)
    async with faulty_registry() as registry, pushing.engine() as engine:
        async with pushing.pusher(engine, settings) as pusher:
            done = await pusher.push(pushing.request(registry, [], "team/app:1", "team/app:2"))
        heads = [one.path for one in registry.requests("HEAD")]
    assert list(engine.pushed) == [f"{registry.host}/team/app:{tag}" for tag in (1, 2)]
    assert {path.rpartition("/")[2] for path in heads if "manifests" in path} == {"1", "2"}
    [entry] = json.loads(metadata.read_text())["pushes"]
    assert entry["digest"] == done[0].digest
    assert entry["media_type"] == Format.DOCKER.manifest_type
    assert entry["source"] == "engine's own push"
    layers = [(layer["diff_id"], layer["route"]) for layer in entry["layers"]]
    assert layers == [(diff_id, "sent") for diff_id in pushing.image.info.diff_ids]
    for layer in entry["layers"]:
        assert f"/v2/team/app/blobs/{layer['digest']}" in heads  # --verify


async def test_an_engine_that_names_another_digest_than_the_registry_is_not_believed(
    pushing: Pushing,
) -> None:
    settings = PushSettings(pusher=PusherChoice.ENGINE)
    async with faulty_registry() as registry, pushing.engine() as engine:
        engine.on_push = None
        async with pushing.pusher(engine, settings) as pusher:
            with pytest.raises(ContentMismatch, match="team/app:1 is not there"):
                await pusher.push(pushing.request(registry, []))


async def test_the_looks_for_what_an_engine_has_pushed_end_in_the_time_they_have() -> None:
    """However chance has it: cut off, they would pass for a registry that cannot be reached."""
    time, access = FreeTime(), Access(environment=Environment({}))
    async with (
        faulty_registry() as registry,
        RegistryClient(host=registry.host, access=access, clock=time.clock()) as client,
    ):
        with pytest.raises(ContentMismatch):
            await see(client, "team/app", "1", Digest.of(b""), looks=engine_push._LOOKS)
    assert 5 < sum(time.waits) < engine_push._LOOK


async def test_a_registry_that_only_the_engine_reaches_is_pushed_to_all_the_same(
    pushing: Pushing,
) -> None:
    told: list[str] = []
    settings = PushSettings(pusher=PusherChoice.ENGINE, limits=Limits(retries=0))
    async with faulty_registry() as registry:
        request = pushing.request(registry, told)
    async with pushing.engine() as engine, pushing.pusher(engine, settings) as pusher:
        engine.on_push = None
        done = await pusher.push(request)
    assert done[0].summary.startswith("(by the engine's own push in ")
    assert any("only the engine says that sha256:" in line for line in told), told


async def test_an_engine_that_pushes_alone_prepares_nothing(pushing: Pushing) -> None:
    settings = PushSettings(pusher=PusherChoice.ENGINE)
    async with faulty_registry() as registry, pushing.engine() as engine:
        async with pushing.pusher(engine, settings) as pusher:
            assert not await pusher.prepare(pushing.request(registry, []))
        assert registry.recorded == []


async def test_localhost_is_the_engines_when_it_is_on_another_machine(pushing: Pushing) -> None:
    async with faulty_registry() as registry, pushing.engine() as engine:
        engine.engine_info = replace(pushing.local, local=False, data_root=None)
        engine.on_push = None
        async with pushing.pusher(engine) as pusher:
            assert not await pusher.prepare(pushing.request(registry, []))
            await pusher.push(pushing.request(registry, []))
        assert registry.recorded == []  # what is here under that name is another one
    assert list(engine.pushed) == [f"{registry.host}/team/app:1"]


async def test_what_cannot_be_verified_is_not_pushed(pushing: Pushing) -> None:
    async with faulty_registry() as registry, pushing.engine() as engine:
        engine.engine_info = replace(pushing.local, local=False, data_root=None)
        async with pushing.pusher(engine, PushSettings(verify=True)) as pusher:
            with pytest.raises(UsageError, match="on the machine of the engine"):
                await pusher.push(pushing.request(registry, []))
    assert not engine.pushed
