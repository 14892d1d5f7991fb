"""Push while testing: layers early, the manifest after green, nothing after red."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random

import anyio
import pytest
from msgspec.structs import replace

from longshore.environment import Environment
from longshore.plan.model import walk
from longshore.plan.selection import Selection
from longshore.registry.client import Access
from longshore.registry.server.routes import Kind
from longshore.run.eager import unreachable
from longshore.run.events import Pushed, PushOutput
from longshore.run.outcome import Failed, Passed
from longshore.run.push_settings import PusherChoice, PushSettings
from longshore.run.pusher import RegistryPusher, opened_pushes
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage, FakeProgram
from longshore.testing.faults import FORBIDDEN, TOO_MANY, Script, on
from longshore.testing.registry import FaultyRegistry, faulty_registry
from longshore.testing.scene import Scene

SERVICES = """
app: {image: app}
tests: {image: busybox}
"""
STEPS = """
- {name: test, service: tests, command: test}
- {name: ship it, service: app, type: push, image_name: "HOST/team/app", image_tag: [one, two]}
- {name: after, service: tests, command: "true"}
"""
Pushing = Callable[[Scene, FaultyRegistry], AbstractAsyncContextManager[None]]


@pytest.fixture
def pushing(tmp_path: Path) -> Pushing:
    """Gives a scene our own pusher, its clients open while the block runs."""

    @asynccontextmanager
    async def make(scene: Scene, registry: FaultyRegistry) -> AsyncIterator[None]:
        access = Access(environment=Environment({"XDG_CACHE_HOME": str(tmp_path / "cache")}))
        settings = PushSettings(pusher=PusherChoice.OWN)
        async with opened_pushes(access, settings) as pushes:
            scene.pusher = lambda engine: RegistryPusher(engine=engine, pushes=pushes)
            yield

    return make


def _prepare(scene: Scene, program: FakeProgram) -> None:
    scene.images["busybox:latest"] = FakeImage(program=program)
    scene.images["app:latest"] = FakeImage(layers=({"data": Random(1).randbytes(700_000)},))
    scene.options = replace(scene.options, eager_push=True)
    scene.selection = Selection(push=True)


async def _until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110  # a registry's record cannot be waited for
            await anyio.sleep(0.01)


def _blobs_arrived(registry: FaultyRegistry) -> bool:
    return any(one.status == 201 for one in registry.requests("PUT", Kind.UPLOAD))


async def test_layers_are_there_before_the_tests_are_over_and_the_manifest_is_not(
    scene: Scene, pushing: Pushing
) -> None:
    over = anyio.Event()
    _prepare(scene, FakeProgram(until=over))
    async with faulty_registry() as registry, pushing(scene, registry):

        async def watch(_: FakeEngine, __: anyio.CancelScope) -> None:
            await _until(lambda: _blobs_arrived(registry))
            assert registry.requests("PUT", Kind.MANIFEST) == []
            registry.recorded.clear()
            over.set()

        scene.beside = watch
        ran = await scene.run(SERVICES, STEPS.replace("HOST", registry.host))
        pushed = [event for event in ran.events if isinstance(event, Pushed)]
        puts = registry.requests("PUT", Kind.MANIFEST)
        assert registry.requests("PATCH") == []
    assert ran.result.passed
    assert sorted(one.path.rpartition("/")[2] for one in puts) == ["one", "two"]
    assert len({event.digest for event in pushed}) == 1
    assert "1 layer sent" in pushed[0].summary
    assert " early, the rest in 0." in pushed[0].summary
    assert ran.engine.methods().count("export") == 1


async def test_of_two_pushes_only_the_one_that_says_so_goes_up_early(
    scene: Scene, pushing: Pushing
) -> None:
    over = anyio.Event()
    _prepare(scene, FakeProgram(until=over))
    scene.options = replace(scene.options, eager_push=False)
    steps = """
    - {name: test, service: tests, command: test}
    - {name: late, service: app, type: push, image_name: "HOST/team/late"}
    - {name: early, service: app, type: push, image_name: "HOST/team/early", eager: true}
    """
    async with faulty_registry() as registry, pushing(scene, registry):

        async def watch(_: FakeEngine, __: anyio.CancelScope) -> None:
            await _until(lambda: _blobs_arrived(registry))
            assert not any("team/late" in one.path for one in registry.recorded)
            over.set()

        scene.beside = watch
        ran = await scene.run(SERVICES, steps.replace("HOST", registry.host))
    told = [event for event in ran.of(PushOutput) if event.text.startswith("uploading layers")]
    assert [event.name for event in told] == ["early"]
    assert (ran.outcomes["early"], ran.outcomes["late"]) == (Passed(), Passed())


async def test_a_failing_test_leaves_the_tag_untouched_and_no_session_open(
    scene: Scene, pushing: Pushing
) -> None:
    over = anyio.Event()
    _prepare(scene, FakeProgram(until=over, exit_code=1))
    plan = Script([on("PATCH upload", replace(TOO_MANY, retry_after="1"), times=None)])
    async with faulty_registry(plan=plan) as registry, pushing(scene, registry):

        async def watch(_: FakeEngine, __: anyio.CancelScope) -> None:
            await _until(lambda: bool(registry.requests("PATCH")))
            over.set()

        scene.beside = watch
        with anyio.fail_after(20):
            ran = await scene.run(SERVICES, STEPS.replace("HOST", registry.host))
        opened = [one for one in registry.requests("POST") if one.status == 202]
        closed = [one for one in registry.requests("DELETE") if one.status == 204]
        assert registry.requests("PUT") == []
    assert ran.outcomes["test"] == Failed(1)
    assert "ship it" not in ran.started
    assert len(opened) == len(closed) == 1


async def test_an_early_upload_that_fails_is_done_by_the_push_step(
    scene: Scene, pushing: Pushing
) -> None:
    over = anyio.Event()
    _prepare(scene, FakeProgram(until=over))
    plan = Script([on("POST uploads", FORBIDDEN)])
    async with faulty_registry(plan=plan) as registry, pushing(scene, registry):

        async def watch(_: FakeEngine, __: anyio.CancelScope) -> None:
            await _until(lambda: bool(registry.requests("POST")))
            over.set()

        scene.beside = watch
        ran = await scene.run(SERVICES, STEPS.replace("HOST", registry.host))
    told = [event.text for event in ran.events if isinstance(event, PushOutput)]
    assert any("this step will do it" in text for text in told), told
    assert ran.outcomes["ship it"] == Passed()


async def test_an_image_that_is_built_later_is_not_built_for_its_upload(
    scene: Scene, pushing: Pushing
) -> None:
    _prepare(scene, FakeProgram())
    (scene.directory / "Dockerfile").write_text("FROM scratch\n")
    services = "app: {build: {image: app, dockerfile: Dockerfile}}\ntests: {image: busybox}\n"
    async with faulty_registry() as registry, pushing(scene, registry):
        ran = await scene.run(services, STEPS.replace("HOST", registry.host))
    methods = ran.engine.methods()
    assert methods.index("build") > methods.index("start")
    assert ran.outcomes["ship it"] == Passed()


async def test_later_steps_learn_the_digest(scene: Scene, pushing: Pushing) -> None:
    _prepare(scene, FakeProgram())
    async with faulty_registry() as registry, pushing(scene, registry):
        ran = await scene.run(SERVICES, STEPS.replace("HOST", registry.host))
    pushed = next(event for event in ran.events if isinstance(event, Pushed))
    environments = [dict(one.spec.environment) for one in ran.engine.containers.values()]
    digests = [one.get("LONGSHORE_DIGEST_SHIP_IT") for one in environments]
    assert digests == [None, pushed.digest]


def test_what_a_failure_makes_unreachable_is_what_comes_after_it_in_series(scene: Scene) -> None:
    push = '{service: app, type: push, image_name: "localhost/app", name: %s}'
    scene.selection = Selection(push=True)
    plan = scene.plan(
        SERVICES,
        f"""
        - {push % "before"}
        - type: parallel
          steps:
            - {{name: fails, service: tests, command: "false"}}
            - {push % "beside"}
            - type: serial
              steps:
                - {{name: other, service: tests, command: "true"}}
                - {push % "in-series-beside"}
        - {push % "after"}
        """,
    )
    steps = {step.name: step.path for step in walk(plan.root)}
    assert set(unreachable(plan.root, steps["fails"])) == {steps["after"]}
    assert set(unreachable(plan.root, steps["other"])) == {
        steps["in-series-beside"],
        steps["after"],
    }
