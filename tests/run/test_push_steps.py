"""Push steps and a registry with users: whose credentials are used, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from longshore.environment import Environment
from longshore.plan.selection import Selection
from longshore.registry.client import Access
from longshore.run.outcome import Outcome, Passed
from longshore.run.push_settings import PusherChoice, PushSettings
from longshore.run.pusher import RegistryPusher, opened_pushes
from longshore.testing.registry import FaultyRegistry, faulty_registry
from longshore.testing.registry_auth import BasicAuth
from longshore.testing.scene import Scene

AUTH = BasicAuth(users={"bob": "right"})


def _login(password: str) -> Mapping[str, str]:
    return {"username": "bob", "password": password}


async def _outcome(scene: Scene, registry: FaultyRegistry, step: str) -> Outcome:
    """Of the one step, which pushes to the registry by our own pusher."""
    scene.selection = Selection(push=True)
    access = Access(environment=Environment({"XDG_CACHE_HOME": str(scene.directory)}))
    async with opened_pushes(access, PushSettings(pusher=PusherChoice.OWN)) as pushes:
        scene.pusher = lambda engine: RegistryPusher(engine=engine, pushes=pushes)
        ran = await scene.run(
            "app: {image: busybox}",
            f"- {{name: ship, service: app, type: push, image_name: team/app, {step}}}",
        )
    return ran.outcomes["ship"]


@pytest.mark.parametrize("good", ["http://{}", "{}"])
async def test_of_several_credentials_for_a_host_the_one_spelled_like_the_registry_is_used(
    scene: Scene, good: str
) -> None:
    async with faulty_registry(auth=AUTH) as registry:
        spelled = good.format(registry.host)
        keys = (f"https://{registry.host}/v1/", registry.host, f"http://{registry.host}")
        entries = {key: _login("right" if key == spelled else "wrong") for key in keys}
        (scene.directory / "cfg").write_text(json.dumps({"auths": entries}))
        step = f"registry: '{spelled}', dockercfg_path: cfg"
        assert await _outcome(scene, registry, step) == Passed()
