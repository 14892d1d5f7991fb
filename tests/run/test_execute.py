"""Serial, parallel, skipped and failing steps do what the original did (spec 4.5 to 4.9)."""

from __future__ import annotations

import time

import anyio
import pytest
from msgspec.structs import replace

from longshore.engine.spec import ContainerSpec
from longshore.plan.selection import WAITING, Selection
from longshore.run.events import Notice, RunFinished
from longshore.run.outcome import Broken, Failed, NotRun, Passed, Skipped, Stopped
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeBuild, FakeImage, FakeProgram, by_command, out
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


async def test_fail_fast_stops_siblings_before_on_fail_runs_and_lets_that_end(scene: Scene) -> None:
    endless = FakeProgram(started=anyio.Event(), until=anyio.Event())
    bad = FakeProgram(exit_code=1, until=endless.started)
    scene.options = replace(scene.options, fail_fast=True)
    scene.images["busybox:latest"] = by_command({"bad": bad, "endless": endless})
    ran = await scene.run(
        APP,
        "[{type: parallel, steps: [{service: app, command: bad, on_fail: [{command: handler}]},"
        " {service: app, command: endless}]}]",
    )
    assert ran.outcomes["endless"] == Stopped()
    assert ran.outcomes["handler"] == Passed()


async def test_fail_fast_stops_running_siblings(scene: Scene) -> None:
    endless = FakeProgram(started=anyio.Event(), until=anyio.Event())
    bad = FakeProgram(exit_code=1, until=endless.started)
    scene.options = replace(scene.options, fail_fast=True)
    scene.images["busybox:latest"] = by_command({"bad": bad, "endless": endless})
    ran = await scene.run(
        APP,
        "[{type: parallel, steps: [{service: app, command: bad},"
        " {service: app, command: endless}]}]",
    )
    assert [step.name for step in ran.result.failed] == ["bad"]


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


async def test_a_push_step_says_that_it_needs_the_flag(scene: Scene) -> None:
    ran = await scene.run(APP, "[{type: push, service: app, image_name: a/b}]")
    assert ran.outcomes == {"push_app": Skipped("push steps need --push")}


async def test_a_push_step_builds_what_nothing_built_and_reports_the_digest(scene: Scene) -> None:
    scene.selection = Selection(push=True)
    (scene.directory / "Dockerfile").write_text("FROM scratch\n")
    ran = await scene.run(
        "app: {build: .}",
        "[{type: push, service: app, image_name: 'localhost:5000/a', image_tag: v1}]",
    )
    assert ran.result.passed, ran.result
    assert list(ran.engine.pushed) == ["localhost:5000/a:v1"]


async def test_an_untagged_push_takes_the_image_a_step_named_so_and_says_it(scene: Scene) -> None:
    scene.selection = Selection(push=True)
    by_hand = FakeImage(created="2999-01-01T00:00:00.123456789Z")
    scene.images["localhost:5000/a:latest"] = by_hand
    push = "{type: push, service: app, image_name: 'localhost:5000/a'%s}"
    ran = await scene.run(APP, f"[{push % ''}, {push % ', image_tag: v1'}]")
    assert ran.result.passed, ran.result
    tagged = [call.subject for call in ran.engine.calls if call.method == "tag"]
    assert tagged[0] == by_hand.salted("localhost:5000/a:latest").id
    assert tagged[1] != tagged[0]
    assert any("not that of service" in e.text for e in ran.events if isinstance(e, Notice))


async def test_an_image_made_by_hand_is_such_a_one_though_a_step_has_used_it(scene: Scene) -> None:
    """P-8, P-9: it has another name as well, under which a service takes it."""
    scene.selection = Selection(push=True)
    by_hand = FakeImage(created="2999-01-01T00:00:00Z")
    both = {"localhost:5000/a:latest": by_hand, "me/byhand:latest": by_hand}
    scene.prepare = lambda engine: engine.images.update(both)
    ran = await scene.run(
        f"{{{APP}, hand: {{image: me/byhand}}}}",
        "[{service: hand, command: x}, {type: push, service: app, image_name: 'localhost:5000/a'}]",
    )
    assert ran.engine.pushed == {"localhost:5000/a:latest": by_hand.id}
    assert any("not that of service" in e.text for e in ran.events if isinstance(e, Notice))


async def test_a_service_that_takes_the_image_made_by_hand_itself_has_nothing_told(
    scene: Scene,
) -> None:
    scene.selection = Selection(push=True)
    scene.images["localhost:5000/a:latest"] = FakeImage(created="2999-01-01T00:00:00Z")
    ran = await scene.run(
        "app: {image: 'localhost:5000/a'}",
        "[{type: push, service: app, image_name: 'localhost:5000/a'}]",
    )
    assert ran.result.passed
    assert ran.of(Notice) == []


async def test_an_untagged_push_takes_the_service_s_own_though_another_one_built_the_name(
    scene: Scene,
) -> None:
    """I-5: the name may be that of another service of the plan, which no step made by itself."""
    scene.selection = Selection(push=True)
    for name in ("One", "Two"):
        (scene.directory / name).write_text(f"FROM {name.lower()}\n")
    newest = FakeBuild(image=FakeImage(salt="two", created="2999-01-01T00:00:00Z"))
    scene.prepare = lambda engine: engine.builds.update({scene.directory / "Two": newest})
    ran = await scene.run(
        "{one: {build: {image: 'localhost:5000/a', dockerfile: One}},"
        " two: {build: {image: 'localhost:5000/a', dockerfile: Two}}}",
        "[{service: one, command: x}, {service: two, command: x},"
        " {type: push, service: one, image_name: 'localhost:5000/a'}]",
    )
    assert ran.engine.pushed != {"localhost:5000/a:latest": newest.image.id}
    assert ran.of(Notice) == []


async def test_an_untagged_push_ignores_what_had_the_name_before_the_run(scene: Scene) -> None:
    scene.selection = Selection(push=True)
    scene.images["localhost:5000/a:latest"] = FakeImage(created="2015-01-01T00:00:00Z")
    ran = await scene.run(APP, "[{type: push, service: app, image_name: 'localhost:5000/a'}]")
    tagged = [call.subject for call in ran.engine.calls if call.method == "tag"]
    assert tagged == [scene.images["busybox:latest"].salted("busybox:latest").id]


async def test_a_manual_group_waits_without_approval_and_the_run_passes(scene: Scene) -> None:
    steps = "[{service: app, command: a}, {type: manual, steps: [{service: app, command: b}]}]"
    ran = await scene.run(APP, steps)
    assert ran.outcomes["manual"] == Skipped(WAITING)
    assert ran.result.waiting == ("manual",)
    assert ran.result.passed
    scene.selection = Selection(approve=True)
    assert (await scene.run(APP, steps)).outcomes["b"] == Passed()


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


async def test_a_build_is_made_once_for_all_steps_that_need_it(scene: Scene) -> None:
    (scene.directory / "Dockerfile").write_text("FROM scratch\n")
    step = "{service: app, command: x}"
    ran = await scene.run(
        "app: {build: .}", f"[{{type: parallel, steps: [{step}, {step}]}}, {step}]"
    )
    assert ran.engine.methods().count("build") == 1
    assert ran.result.passed


async def test_a_build_error_of_one_sibling_does_not_stop_the_other(scene: Scene) -> None:
    dockerfile = scene.directory / "Dockerfile"
    dockerfile.write_text("FROM scratch\n")
    scene.prepare = lambda engine: engine.builds.update({dockerfile: FakeBuild(fails="no space")})
    ran = await scene.run(
        "{broken: {build: .}, app: {image: busybox}}",
        "[{type: parallel, steps: [{service: broken, command: x}, {service: app, command: y}]}]",
    )
    assert ran.outcomes["y"] == Passed()
    assert isinstance(ran.outcomes["x"], Broken)


async def test_a_missing_dockerfile_breaks_the_step_with_its_place(scene: Scene) -> None:
    ran = await scene.run("app: {build: .}", "[{service: app, command: x}]")
    outcome = ran.outcomes["x"]
    assert isinstance(outcome, Broken)
    assert "there is no Dockerfile at" in outcome.message
    assert "codeship-services.yml" in (outcome.hint or "")


async def test_a_dockerfile_that_cannot_be_looked_at_breaks_its_step_alone(scene: Scene) -> None:
    """As one that a container made for root alone; the tests are root and cannot be refused."""
    ran = await scene.run(
        f"{{broken: {{build: {{context: ., dockerfile: {'x' * 300}}}}}, app: {{image: busybox}}}}",
        "[{type: parallel, steps: [{service: broken, command: x}, {service: app, command: y}]}]",
    )
    outcome = ran.outcomes["x"]
    assert isinstance(outcome, Broken)
    assert "cannot be read: File name too long" in outcome.message
    assert ran.outcomes["y"] == Passed()


async def test_an_image_that_is_nowhere_breaks_the_step(scene: Scene) -> None:
    ran = await scene.run("app: {image: nowhere/nothing}", "[{service: app, command: x}]")
    outcome = ran.outcomes["x"]
    assert isinstance(outcome, Broken)
    assert outcome.message.startswith("image nowhere/nothing:latest not found")


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
