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
from longshore.run.events import Pushed, PushOutput
from longshore.run.outcome import Failed, Passed
from longshore.run.push.eager import unreachable
from longshore.run.push.port import PushedImage, PushRequest
from longshore.run.push.registry_pusher import RegistryPusher, opened_pushes
from longshore.run.push.settings import PusherChoice, PushSettings
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage, FakeProgram, by_command
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


async def test_a_failing_test_leaves_the_tag_untouched_though_all_layers_are_there(
    scene: Scene, pushing: Pushing
) -> None:
    over = anyio.Event()
    _prepare(scene, FakeProgram(until=over, exit_code=1))
    async with faulty_registry() as registry, pushing(scene, registry):

        async def watch(_: FakeEngine, __: anyio.CancelScope) -> None:
            await _until(lambda: _blobs_arrived(registry))
            over.set()

        scene.beside = watch
        ran = await scene.run(SERVICES, STEPS.replace("HOST", registry.host))
        assert registry.requests("PUT", Kind.MANIFEST) == []
        assert registry.storage.tags("team/app") == []
    assert ran.outcomes["test"] == Failed(1)
    assert "ship it" not in ran.started


async def test_a_failing_test_leaves_no_session_open(scene: Scene, pushing: Pushing) -> None:
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
    assert ran.outcomes["test"] == Failed(1)
    assert len(opened) == len(closed) == 1


class Endless:
    """A pusher whose early uploads take for ever."""

    def __init__(self) -> None:
        self.began = anyio.Event()
        self.given_up = anyio.Event()

    async def prepare(self, request: PushRequest) -> bool:
        """See `Pusher`."""
        self.began.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.given_up.set()
        return False

    async def push(self, request: PushRequest) -> tuple[PushedImage, ...]:
        """See `Pusher`."""
        raise AssertionError("no push step is to be reached")


async def test_the_upload_is_given_up_as_soon_as_a_test_before_it_has_failed(scene: Scene) -> None:
    """And not only at the end of the run, for which its on_fail steps may take their time."""
    pusher = Endless()
    _prepare(scene, FakeProgram())
    programs = {
        "test": FakeProgram(until=pusher.began, exit_code=1),
        "handler": FakeProgram(until=pusher.given_up),
    }
    scene.images["busybox:latest"] = by_command(programs)
    scene.pusher = lambda _: pusher
    steps = STEPS.replace("command: test}", "command: test, on_fail: [{command: handler}]}")
    with anyio.fail_after(20):
        ran = await scene.run(SERVICES, steps.replace("HOST", "localhost"))
    assert (ran.outcomes["test"], ran.outcomes["handler"]) == (Failed(1), Passed())
    assert ran.result.not_run == ("ship it", "after")


@pytest.mark.parametrize("place", ["queued", "after a queued one"])
async def test_the_upload_of_a_push_that_is_not_reached_is_given_up_while_others_still_run(
    scene: Scene, place: str
) -> None:
    pusher = Endless()
    _prepare(scene, FakeProgram())
    programs = {
        "test": FakeProgram(until=pusher.began, exit_code=1),
        "long": FakeProgram(until=pusher.given_up),
    }
    scene.images["busybox:latest"] = by_command(programs)
    scene.options = replace(scene.options, max_parallel=2)
    scene.pusher = lambda _: pusher
    push = "{name: ship it, service: app, type: push, image_name: localhost/team/app}"
    if place != "queued":
        push = f"{{type: serial, steps: [{{service: tests, command: queued}}, {push}]}}"
    steps = f"""
    - type: parallel
      steps:
      - {{service: tests, command: test}}
      - {{service: tests, command: long}}
      - {push}
    """
    with anyio.fail_after(20):
        ran = await scene.run(SERVICES, steps)
    assert (ran.outcomes["test"], ran.outcomes["long"]) == (Failed(1), Passed())
    assert ran.result.not_run[-1] == "ship it"


async def test_an_upload_for_a_step_that_was_never_due_ends_with_the_run(scene: Scene) -> None:
    pusher = Endless()
    _prepare(scene, FakeProgram())
    failing = FakeProgram(until=pusher.began, exit_code=1)
    scene.images["busybox:latest"] = by_command({"test": failing})
    scene.options = replace(scene.options, max_parallel=1)
    scene.pusher = lambda _: pusher
    steps = """
    - type: parallel
      steps:
      - {service: tests, command: test}
      - type: serial
        steps:
        - {service: tests, command: queued}
        - {name: ship it, service: app, type: push, image_name: localhost/team/app}
    """
    with anyio.fail_after(20):
        ran = await scene.run(SERVICES, steps)
    assert pusher.given_up.is_set()
    assert ran.result.not_run == ("queued", "ship it")


async def test_an_upload_in_a_group_that_fail_fast_stops_is_given_up_at_once(scene: Scene) -> None:
    """While the handler of the step that failed still runs."""
    pusher = Endless()
    _prepare(scene, FakeProgram())
    programs = {
        "test": FakeProgram(until=pusher.began, exit_code=1),
        "long": FakeProgram(until=anyio.Event()),
        "tell": FakeProgram(until=pusher.given_up),
    }
    scene.images["busybox:latest"] = by_command(programs)
    scene.options = replace(scene.options, max_parallel=2, fail_fast=True)
    scene.pusher = lambda _: pusher
    steps = """
    - type: parallel
      steps:
      - {service: tests, command: test, on_fail: [{command: tell}]}
      - type: serial
        steps:
        - {service: tests, command: long}
        - {name: ship it, service: app, type: push, image_name: localhost/team/app}
    """
    with anyio.fail_after(20):
        ran = await scene.run(SERVICES, steps)
    assert pusher.given_up.is_set()
    assert (ran.result.stopped, ran.result.not_run) == (("long",), ("ship it",))


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


async def test_the_digest_of_a_step_that_shares_its_name_goes_by_the_name_of_the_file(
    scene: Scene, pushing: Pushing
) -> None:
    _prepare(scene, FakeProgram())
    push = '- {name: ship it, service: app, type: push, image_name: "HOST/team/app", tag: master}'
    async with faulty_registry() as registry, pushing(scene, registry):
        ran = await scene.run(SERVICES, f"{push}{STEPS}".replace("HOST", registry.host))
    environments = [dict(one.spec.environment) for one in ran.engine.containers.values()]
    assert "LONGSHORE_DIGEST_SHIP_IT" in environments[-1]


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
