"""What a step that fails stops, and what it does not (T-17 to T-19, T-42, T-43)."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from longshore.run.events import RunFinished
from longshore.run.outcome import Failed, NotRun, Passed, Stopped
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeProgram, by_command
from longshore.testing.scene import Scene

APP = "app: {image: busybox}"

FAILS = FakeProgram(exit_code=3)


async def test_a_failing_step_stops_what_follows_and_is_named(scene: Scene) -> None:
    scene.images["busybox:latest"] = by_command({"bad": FAILS})
    ran = await scene.run(
        APP,
        "[{service: app, command: bad}, {service: app, command: never},"
        " {type: parallel, steps: [{service: app, command: neither}]}]",
    )
    assert ran.outcomes == {"bad": Failed(3)}
    assert [step.name for step in ran.result.failed] == ["bad"]
    assert ran.result.not_run == ("never", "neither")
    assert not ran.result.passed


async def test_running_siblings_of_a_failed_parallel_step_finish(scene: Scene) -> None:
    slow = FakeProgram(started=anyio.Event(), until=anyio.Event())
    scene.images["busybox:latest"] = by_command({"bad": FAILS, "slow": slow})

    async def beside(engine: FakeEngine, _: anyio.CancelScope) -> None:
        assert slow.started is not None
        assert slow.until is not None
        await slow.started.wait()
        while not any(c.exit and c.exit.code == 3 for c in engine.containers.values()):
            await anyio.lowlevel.checkpoint()
        slow.until.set()

    scene.beside = beside
    ran = await scene.run(
        APP,
        "[{type: parallel, steps: [{service: app, command: bad}, {service: app, command: slow}]},"
        " {service: app, command: after}]",
    )
    assert ran.outcomes["slow"] == Passed()
    assert ran.outcomes["parallel"] == Failed(3)
    assert ran.result.not_run == ("after",)


async def test_queued_siblings_of_a_failed_step_do_not_start(scene: Scene) -> None:
    scene.options = replace(scene.options, max_parallel=1)
    scene.images["busybox:latest"] = by_command({"bad": FAILS})
    ran = await scene.run(
        APP,
        "[{type: parallel, steps: [{service: app, command: bad},"
        " {service: app, command: queued}]}]",
    )
    assert "queued" not in ran.started
    assert ran.result.not_run == ("queued",)


async def test_a_group_none_of_whose_steps_started_is_not_told_as_passed(scene: Scene) -> None:
    scene.options = replace(scene.options, max_parallel=1)
    scene.images["busybox:latest"] = by_command({"bad": FAILS})
    ran = await scene.run(
        APP,
        """
        - type: parallel
          steps:
          - {service: app, command: bad}
          - {name: group, type: serial, steps: [{service: app, command: queued}]}
        """,
    )
    assert "queued" not in ran.started
    assert ran.outcomes["group"] == NotRun()
    assert ran.of(RunFinished)[-1].not_run == ("queued",)


@pytest.mark.parametrize(
    "failing",
    [
        "{service: app, command: bad, on_fail: [{command: handler}]}",
        "{type: serial, on_fail: [{command: handler, service: app}],"
        " steps: [{service: app, command: bad}]}",
    ],
    ids=["a step's", "a group's"],
)
async def test_queued_siblings_do_not_start_beside_an_on_fail_step_either(
    scene: Scene, failing: str
) -> None:
    scene.options = replace(scene.options, max_parallel=1)
    scene.images["busybox:latest"] = by_command({"bad": FAILS})
    queued = "{service: app, command: queued}"
    ran = await scene.run(APP, f"[{{type: parallel, steps: [{failing}, {queued}]}}]")
    assert ran.started[-2:] == ["bad", "handler"]
    assert ran.result.not_run == ("queued",)


def _prepare_fail_fast(scene: Scene) -> None:
    """``bad`` fails as soon as ``endless`` runs, which ends only when it is stopped."""
    endless = FakeProgram(started=anyio.Event(), until=anyio.Event())
    bad = FakeProgram(exit_code=1, until=endless.started)
    scene.options = replace(scene.options, fail_fast=True)
    scene.images["busybox:latest"] = by_command({"bad": bad, "endless": endless})


async def test_fail_fast_stops_siblings_before_on_fail_runs_and_lets_that_end(scene: Scene) -> None:
    _prepare_fail_fast(scene)
    ran = await scene.run(
        APP,
        "[{type: parallel, steps: [{service: app, command: bad, on_fail: [{command: handler}]},"
        " {service: app, command: endless}]}]",
    )
    assert ran.outcomes["endless"] == Stopped()
    assert ran.outcomes["handler"] == Passed()


async def test_fail_fast_stops_running_siblings(scene: Scene) -> None:
    _prepare_fail_fast(scene)
    ran = await scene.run(
        APP,
        "[{type: parallel, steps: [{service: app, command: bad},"
        " {service: app, command: endless}]}]",
    )
    assert [step.name for step in ran.result.failed] == ["bad"]


async def test_a_manual_group_that_a_failure_keeps_from_its_turn_does_not_wait(
    scene: Scene,
) -> None:
    """There is nothing to approve in a run that failed before it (T-40)."""
    scene.images["busybox:latest"] = by_command({"bad": FAILS})
    steps = "[{service: app, command: bad}, {type: manual, steps: [{service: app, command: b}]}]"
    ran = await scene.run(APP, steps)
    assert ran.result.waiting == ()
    assert "manual" not in ran.outcomes


async def test_on_fail_steps_run_innermost_first_and_cannot_turn_the_run_green(
    scene: Scene,
) -> None:
    scene.images["busybox:latest"] = by_command({"bad": FAILS, "inner": FAILS})
    ran = await scene.run(
        APP,
        """
        - type: serial
          on_fail: [{command: outer, service: app}]
          steps:
          - service: app
            command: bad
            on_fail:
            - {command: inner, on_fail: [{command: of_inner}]}
            - {command: second}
        """,
    )
    assert ran.started == ["serial", "bad", "inner", "of_inner", "second", "outer"]
    assert not ran.result.passed


async def test_an_on_fail_step_is_told_which_step_failed(scene: Scene) -> None:
    scene.images["busybox:latest"] = by_command({"bad": FAILS})
    ran = await scene.run(APP, "[{service: app, command: bad, on_fail: [{command: tell}]}]")
    environment = dict(ran.engine.container("jet-app-tell").spec.environment)
    assert environment["CI_FAILED_STEP"] == "bad"


async def test_an_on_fail_step_is_told_the_name_of_the_file_where_the_log_numbers_it(
    scene: Scene,
) -> None:
    scene.images["busybox:latest"] = by_command({"bad": FAILS})
    good = "{service: app, name: deploy, command: good, tag: master}"
    bad = "{service: app, name: deploy, command: bad, on_fail: [{command: tell}]}"
    ran = await scene.run(APP, f"[{good}, {bad}]")
    environment = dict(ran.engine.container("jet-app-tell").spec.environment)
    assert environment["CI_FAILED_STEP"] == "deploy"
