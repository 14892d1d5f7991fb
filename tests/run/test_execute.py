"""Which steps run, in which order and how many at a time (spec 4.5 to 4.9)."""

from __future__ import annotations

import time

import anyio
import pytest

from longshore.engine.spec import ContainerSpec
from longshore.plan.selection import WAITING, Selection
from longshore.run.outcome import NotRun, Passed, Skipped
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage, FakeProgram, by_command, out
from longshore.testing.scene import Scene

APP = "app: {image: busybox}"

FAILS = FakeProgram(exit_code=3)


async def test_steps_run_in_file_order(scene: Scene) -> None:
    ran = await scene.run(APP, "[{service: app, command: one}, {service: app, command: two}]")
    assert ran.started == ["one", "two"]
    assert ran.result.passed


async def test_thousands_of_steps_take_no_time_of_their_own(scene: Scene) -> None:
    plan = scene.plan(APP, "[" + "{service: app, command: one, tag: never}, " * 4000 + "]")
    began = time.process_time()
    await scene.run_plan(plan)
    assert time.process_time() - began < 2  # where each looked at all before it: 9


async def test_containers_that_have_ended_by_themselves_are_removed_without_a_stop(
    scene: Scene,
) -> None:
    scene.images["busybox:latest"] = by_command({"bad": FAILS})
    ran = await scene.run(APP, "[{service: app, command: good}, {service: app, command: bad}]")
    assert "stop" not in ran.engine.methods()


async def test_parallel_steps_never_exceed_the_limit_however_deep_they_nest(scene: Scene) -> None:
    most = 0

    def choose(spec: ContainerSpec) -> FakeProgram:
        return FakeProgram(output=(out("x\n"),))

    async def watch(engine: FakeEngine, _: anyio.CancelScope) -> None:
        nonlocal most
        while True:
            most = max(most, sum(c.running for c in engine.containers.values()))
            await anyio.lowlevel.checkpoint()

    scene.images["busybox:latest"] = FakeImage(program=choose)
    scene.beside = watch
    leaf = "{service: app, command: x}"
    inner = f"{{type: parallel, steps: [{', '.join([leaf] * 5)}]}}"
    ran = await scene.run(APP, f"[{{type: parallel, steps: [{', '.join([inner] * 5)}]}}]")
    assert ran.result.passed
    assert 1 <= most <= 2


async def test_a_step_whose_tag_does_not_match_is_skipped_with_its_reason(scene: Scene) -> None:
    scene.selection = Selection(tag="develop")
    ran = await scene.run(
        APP,
        "[{service: app, command: a, tag: master}, {service: app, command: b, exclude: develop},"
        " {service: app, command: c, tag: '^dev'}]",
    )
    assert ran.outcomes == {
        "a": Skipped('tag "master" does not match "develop"'),
        "b": Skipped('exclude "develop" matches "develop"'),
        "c": Passed(),
    }
    assert ran.result.passed


async def test_a_manual_group_waits_without_approval_and_the_run_passes(scene: Scene) -> None:
    steps = "[{service: app, command: a}, {type: manual, steps: [{service: app, command: b}]}]"
    ran = await scene.run(APP, steps)
    assert ran.outcomes["manual"] == Skipped(WAITING)
    assert ran.result.waiting == ("manual",)
    assert ran.result.passed
    scene.selection = Selection(approve=True)
    assert (await scene.run(APP, steps)).outcomes["b"] == Passed()


@pytest.mark.parametrize(
    ("selection", "run"),
    [
        (Selection(only=("b",)), ["b"]),
        (Selection(only=("group",)), ["group", "b", "c"]),
        (Selection(start_from="c"), ["group", "c", "d"]),
    ],
)
async def test_parts_of_a_pipeline_can_be_chosen_by_name(
    scene: Scene, selection: Selection, run: list[str]
) -> None:
    scene.selection = selection
    ran = await scene.run(
        APP,
        """
        - {service: app, command: a}
        - type: serial
          name: group
          steps: [{service: app, command: b}, {service: app, command: c}]
        - {service: app, command: d}
        """,
    )
    assert [name for name in ran.started if name != "group"] == [n for n in run if n != "group"]
    assert not any(isinstance(outcome, NotRun) for outcome in ran.outcomes.values())


async def test_a_group_without_steps_passes(scene: Scene) -> None:
    """T-27."""
    steps = "[{name: g, type: parallel, steps: []}, {service: app, command: next}]"
    ran = await scene.run(APP, steps)
    assert ran.outcomes == {"g": Passed(), "next": Passed()}
    assert ran.result.passed


@pytest.mark.parametrize("steps", ["[]", ""])
async def test_a_pipeline_without_steps_passes_and_leaves_nothing_out(
    scene: Scene, steps: str
) -> None:
    ran = await scene.run(APP, steps)
    assert ran.result.passed
    assert ran.result.not_run == ()
