"""Push steps of one run share their uploads: what two of them want is sent once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from longshore.environment import Environment
from longshore.plan.selection import Selection
from longshore.registry.client import Access
from longshore.registry.server.routes import Kind
from longshore.run.events import Pushed
from longshore.run.outcome import Broken, Passed
from longshore.run.push.registry_pusher import RegistryPusher, opened_pushes
from longshore.run.push.settings import PusherChoice, PushSettings
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage
from longshore.testing.faults import FORBIDDEN, Script, on
from longshore.testing.overlay2_store import write_store
from longshore.testing.registry import FaultyRegistry, faulty_registry
from longshore.testing.scene import Scene

BASE = {"base": Random(0).randbytes(900_000)}
COUNT = 10
SERVICES = "".join(f"app{one}: {{image: app{one}}}\n" for one in range(COUNT))


def _steps(host: str, name: Callable[[int], str]) -> str:
    """All pushes in one parallel group."""
    pushes = [
        {
            "service": f"app{one}",
            "type": "push",
            "image_name": f"{host}/{name(one)}",
            "image_tag": f"t{one}",
        }
        for one in range(COUNT)
    ]
    return json.dumps([{"type": "parallel", "steps": pushes}])  # which is YAML


def _in_a_store(root: Path) -> Callable[[FakeEngine], None]:
    """The engine's images can be read there."""

    def prepare(engine: FakeEngine) -> None:
        for image in engine.images.values():
            write_store(root, image.config, image.layer_tars)
        info = engine.engine_info
        engine.engine_info = replace(info, local=True, storage_driver="overlay2", data_root=root)

    return prepare


async def _pushed(
    scene: Scene, registry: FaultyRegistry, name: Callable[[int], str], cache: Path
) -> None:
    """Everything, at the same time, by our own pusher."""
    for one in range(COUNT):
        own = {"own": Random(one + 1).randbytes(20_000)}
        scene.images[f"app{one}:latest"] = FakeImage(layers=(BASE, own))
    scene.options = replace(scene.options, max_parallel=COUNT)
    scene.selection = Selection(push=True)
    access = Access(environment=Environment({"XDG_CACHE_HOME": str(cache)}))
    async with opened_pushes(access, PushSettings(pusher=PusherChoice.OWN)) as pushes:
        scene.pusher = lambda engine: RegistryPusher(engine=engine, pushes=pushes)
        ran = await scene.run(SERVICES, _steps(registry.host, name))
    assert ran.outcomes
    assert all(isinstance(outcome, Passed) for outcome in ran.outcomes.values()), ran.outcomes


@pytest.fixture(params=[True, False], ids=["store", "export"], autouse=True)
def _readable(request: pytest.FixtureRequest, scene: Scene, tmp_path: Path) -> None:
    if request.param:
        scene.prepare = _in_a_store(tmp_path / "root")


async def test_ten_images_on_one_base_pushed_side_by_side_send_it_once(
    scene: Scene, tmp_path: Path
) -> None:
    async with faulty_registry() as registry:
        await _pushed(scene, registry, lambda _: "team/app", tmp_path)
    uploads = registry.requests("PUT", Kind.UPLOAD)
    assert len(uploads) == 1 + COUNT + COUNT  # the base, each image's own layer and configuration
    assert len(registry.requests("PUT", Kind.MANIFEST)) == COUNT
    assert registry.received < 2 * len(BASE["base"])


async def test_repositories_of_one_registry_share_the_base_by_mounting_it(
    scene: Scene, tmp_path: Path
) -> None:
    async with faulty_registry() as registry:
        await _pushed(scene, registry, lambda one: f"team/app{one}", tmp_path)
    mounts = [one for one in registry.requests("POST") if "mount=" in one.path]
    assert [one.status for one in mounts] == [201] * (COUNT - 1)
    assert len(registry.requests("PUT", Kind.UPLOAD)) == 1 + COUNT + COUNT
    assert registry.received < 2 * len(BASE["base"])


async def test_a_step_tells_the_tags_it_has_written_though_another_was_refused(
    scene: Scene, tmp_path: Path
) -> None:
    scene.images["app:latest"] = FakeImage(layers=(BASE,))
    scene.selection = Selection(push=True)
    access = Access(environment=Environment({"XDG_CACHE_HOME": str(tmp_path)}))
    refused = Script([on("PUT manifest", FORBIDDEN, path="/b$", times=None)])
    async with (
        faulty_registry(plan=refused) as registry,
        opened_pushes(access, PushSettings(pusher=PusherChoice.OWN)) as pushes,
    ):
        scene.pusher = lambda engine: RegistryPusher(engine=engine, pushes=pushes)
        name = f"{registry.host}/team/app"
        step = f"- {{service: app, type: push, image_name: '{name}', image_tag: [a, b]}}"
        ran = await scene.run("app: {image: app}", step)
    assert all(isinstance(outcome, Broken) for outcome in ran.outcomes.values())
    assert [event.reference for event in ran.of(Pushed)] == [f"{name}:a"]
