"""Push steps and a registry with users: whose credentials are used, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from longshore.environment import Environment
from longshore.errors import EnginePushFailed
from longshore.plan.selection import Selection
from longshore.registry.client import Access
from longshore.run.credentials import CredentialOptions
from longshore.run.outcome import Broken, Outcome, Passed
from longshore.run.push.registry_pusher import RegistryPusher, opened_pushes
from longshore.run.push.settings import PusherChoice, PushSettings
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage
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


async def test_a_file_that_decides_is_named_when_it_has_nothing_for_a_registry_that_wants_a_login(
    scene: Scene,
) -> None:
    entries = {"quay.io": _login("right")}
    (scene.directory / "cfg").write_text(json.dumps({"auths": entries}))
    async with faulty_registry(auth=AUTH) as registry:
        step = f"registry: '{registry.host}', dockercfg_path: cfg"
        outcome = await _outcome(scene, registry, step)
        host = registry.host
    assert isinstance(outcome, Broken)
    assert outcome.hint == (
        f"no credential for {host} is in cfg, which decides and has credentials for quay.io; "
        f"add an entry for {host}"
    )


@pytest.mark.parametrize(
    ("user_login", "config", "told"),
    [
        (False, "{}", "(--no-user-credentials)"),
        (True, '{"credsStore": "gone"}', '"docker-credential-gone" is not installed'),
        (True, "{}", "add one with: docker login"),
    ],
)
async def test_where_a_login_was_looked_for_is_told_when_a_registry_here_wants_one(
    scene: Scene, user_login: bool, config: str, told: str
) -> None:
    (scene.directory / ".docker").mkdir()
    (scene.directory / ".docker/config.json").write_text(config)
    scene.credentials = CredentialOptions(user_login=user_login)
    async with faulty_registry(auth=AUTH) as registry:
        outcome = await _outcome(scene, registry, f"registry: '{registry.host}'")
    assert isinstance(outcome, Broken)
    assert told in (outcome.hint or "")
    assert ("docker login" in (outcome.hint or "")) is ("docker login" in told)


async def test_the_engines_push_tells_who_was_tried_and_from_where(scene: Scene) -> None:
    (scene.directory / "cfg").write_text(json.dumps({"auths": {"r.example": _login("wrong")}}))
    scene.selection = Selection(push=True)

    def refuse(engine: FakeEngine) -> None:
        async def push(reference: str, image: FakeImage) -> str:
            raise EnginePushFailed("unauthorized", hint="of the engine", denied=True)

        engine.on_push = push

    scene.prepare = refuse
    ran = await scene.run(
        "app: {image: busybox}",
        "- {name: ship, service: app, type: push, image_name: r.example/a, dockercfg_path: cfg}",
    )
    outcome = ran.outcomes["ship"]
    assert isinstance(outcome, Broken)
    assert (outcome.hint or "").startswith('tried user "bob" from cfg for r.example;')
