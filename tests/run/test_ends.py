"""How runs and steps end that do not end by themselves: stopped, killed, without an engine."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable

import anyio
import pytest
from msgspec.structs import replace

from longshore.run.events import RunFinished, StepFinished
from longshore.run.outcome import Broken, Failed, Passed, Stopped
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeProgram, by_command
from longshore.testing.scene import Scene

APP = "app: {image: busybox}"
Act = Callable[[FakeEngine, anyio.CancelScope], Awaitable[object]]


def _while_it_runs(scene: Scene, act: Act) -> None:
    """The command `endless` ends by nothing of its own; `act` is called once it runs."""
    started = anyio.Event()
    endless = FakeProgram(started=started, until=anyio.Event())
    scene.images["busybox:latest"] = by_command({"endless": endless})

    async def beside(engine: FakeEngine, scope: anyio.CancelScope) -> None:
        await started.wait()
        await act(engine, scope)

    scene.beside = beside


async def _interrupt(_: FakeEngine, scope: anyio.CancelScope) -> None:
    scope.cancel()


async def test_an_interrupted_run_removes_everything_and_says_so(scene: Scene) -> None:
    _while_it_runs(scene, _interrupt)
    ran = await scene.run(APP, "[{service: app, command: endless}, {service: app, command: b}]")
    assert ran.result.interrupted
    assert (ran.result.stopped, ran.result.not_run) == (("endless",), ("b",))


async def test_the_engine_going_away_breaks_the_step_with_its_own_mark(scene: Scene) -> None:
    async def kill(engine: FakeEngine, _: anyio.CancelScope) -> None:
        engine.die()

    _while_it_runs(scene, kill)
    ran = await scene.run(APP, "[{service: app, command: endless}, {service: app, command: b}]")
    assert ran.result.engine_lost
    assert ran.of(RunFinished)[-1].engine_lost
    assert ran.result.not_run == ("b",)


async def test_a_step_whose_container_is_stopped_by_others_has_neither_passed_nor_failed(
    scene: Scene,
) -> None:
    async def shut_down(engine: FakeEngine, _: anyio.CancelScope) -> None:
        await engine.stop(engine.container("jet-app-endless").id, grace=10)

    _while_it_runs(scene, shut_down)
    ran = await scene.run(APP, "[{service: app, command: endless}, {service: app, command: b}]")
    outcome = ran.outcomes["endless"]
    assert isinstance(outcome, Broken)
    assert outcome.message == 'the container of service "app" was stopped while it ran'
    assert ran.result.not_run == ("b",)


async def test_a_step_over_its_limit_is_stopped_and_fails(scene: Scene) -> None:
    scene.options = replace(scene.options, step_timeout=0.05)
    scene.images["busybox:latest"] = by_command({"x": FakeProgram(until=anyio.Event())})
    ran = await scene.run(APP, "[{service: app, command: x}]")
    assert ran.outcomes["x"] == Broken("stopped after 0.05 seconds (--step-timeout)")


async def test_a_silent_step_is_stopped_by_the_quiet_timeout(scene: Scene) -> None:
    scene.options = replace(scene.options, quiet_timeout=0.05)
    scene.images["busybox:latest"] = by_command({"x": FakeProgram(until=anyio.Event())})
    ran = await scene.run(APP, "[{service: app, command: x}]")
    assert isinstance(ran.outcomes["x"], Broken)


async def test_a_run_over_its_limit_fails(scene: Scene) -> None:
    scene.options = replace(scene.options, timeout=0.05)
    scene.images["busybox:latest"] = by_command({"x": FakeProgram(until=anyio.Event())})
    ran = await scene.run(APP, "[{service: app, command: x}]")
    assert ran.result.timed_out
    assert not ran.result.passed
    assert ran.of(RunFinished)[-1].timed_out


async def test_a_clock_that_jumps_ends_nothing_and_prolongs_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = itertools.cycle([0.0, 4e9, 1e9])
    monkeypatch.setattr(time, "time", lambda: next(times))
    monkeypatch.setattr(time, "time_ns", lambda: int(next(times)) * 10**9)
    scene.options = replace(scene.options, step_timeout=0.5, quiet_timeout=60, timeout=60)
    endless = FakeProgram(until=anyio.Event())
    scene.images["busybox:latest"] = by_command({"endless": endless})
    ran = await scene.run(APP, "[{service: app, command: a}, {service: app, command: endless}]")
    assert ran.outcomes["a"] == Passed()
    assert ran.outcomes["endless"] == Broken("stopped after 0.5 seconds (--step-timeout)")
    spent = [event.seconds for event in ran.events if isinstance(event, StepFinished)]
    assert len(spent) == 2
    assert 0 <= min(spent) <= max(spent) < 5


async def test_an_oom_kill_is_told_as_such(scene: Scene) -> None:
    killed = FakeProgram(exit_code=137, out_of_memory=True)
    scene.images["busybox:latest"] = by_command({"x": killed})
    ran = await scene.run(APP, "[{service: app, command: x}]")
    outcome = ran.outcomes["x"]
    assert isinstance(outcome, Broken)
    assert "memory" in outcome.message


async def test_a_container_removed_by_somebody_else_breaks_the_step(scene: Scene) -> None:
    async def remove(engine: FakeEngine, _: anyio.CancelScope) -> None:
        for container in list(engine.containers):
            await engine.remove(container)

    _while_it_runs(scene, remove)
    ran = await scene.run(APP, "[{service: app, command: endless}]")
    assert isinstance(ran.outcomes["endless"], Failed | Broken)


async def test_after_a_stop_what_passed_stays_passed_and_what_ran_is_stopped(scene: Scene) -> None:
    _while_it_runs(scene, _interrupt)
    ran = await scene.run(
        APP,
        "[{service: app, command: done}, {name: group, type: serial, steps:"
        " [{service: app, command: endless}, {service: app, command: later}]}]",
    )
    assert ran.result.interrupted
    assert ran.outcomes == {"done": Passed(), "endless": Stopped(), "group": Stopped()}
    assert (ran.result.stopped, ran.result.not_run) == (("endless",), ("later",))
