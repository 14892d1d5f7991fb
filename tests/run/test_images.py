"""Where an image comes from, and what is told of it (spec 3.4, 3.5)."""

from __future__ import annotations

import json
from collections.abc import Callable

import anyio
import pytest
from msgspec.structs import replace

from longshore.engine.spec import BuildSpec, ContainerSpec
from longshore.errors import PullFailed
from longshore.plan.selection import Selection
from longshore.run.events import Detail, ImageFinished, ImageOutput, ImageStarted, Notice
from longshore.run.outcome import Broken, Passed
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeBuild, FakeImage, FakeProgram
from longshore.testing.scene import Ran, Scene

APP = "app: {image: registry.test/base}"
STEPS = "[{name: test, service: app, command: x}]"
BASE = "registry.test/base:latest"


def pulled(ran: Ran) -> list[str]:
    return [call.subject for call in ran.engine.calls if call.method == "pull"]


def details(ran: Ran) -> list[str]:
    return [event.text for event in ran.of(Detail)]


@pytest.mark.parametrize(("asked", "pulls"), [(False, []), (True, [BASE])])
async def test_an_image_the_engine_has_is_pulled_only_when_asked(
    scene: Scene, asked: bool, pulls: list[str]
) -> None:
    scene.images[BASE] = FakeImage()
    scene.image_options = replace(scene.image_options, pull_if_present=asked)
    scene.prepare = lambda engine: engine.pullable.update({BASE: FakeImage(salt="new")})
    ran = await scene.run(APP, STEPS)
    assert ran.outcomes["test"] == Passed()
    assert pulled(ran) == pulls


async def test_a_pull_that_fails_leaves_the_local_image_with_a_notice(scene: Scene) -> None:
    scene.images[BASE] = FakeImage()
    scene.image_options = replace(scene.image_options, pull_if_present=True)
    ran = await scene.run(APP, STEPS)
    assert ran.outcomes["test"] == Passed()
    assert any(f"using the local {BASE}" in notice.text for notice in ran.of(Notice))


async def test_without_a_local_image_a_pull_that_fails_breaks_the_step(scene: Scene) -> None:
    scene.image_options = replace(scene.image_options, pull_if_present=True)
    ran = await scene.run(APP, STEPS)
    outcome = ran.outcomes["test"]
    assert isinstance(outcome, Broken)
    assert "registry.test/base" in outcome.message


@pytest.mark.parametrize("asked", [False, True])
async def test_bases_of_a_build_are_pulled_anew_only_when_asked(scene: Scene, asked: bool) -> None:
    (scene.directory / "Dockerfile").write_text("FROM registry.test/base\n")
    scene.image_options = replace(scene.image_options, pull_if_present=asked)
    ran = await scene.run("app: {build: .}", STEPS)
    specs = [call.detail for call in ran.engine.calls if call.method == "build"]
    assert [spec.pull for spec in specs if isinstance(spec, BuildSpec)] == [asked]


async def test_the_users_login_counts_for_a_base_image_that_an_argument_names(
    scene: Scene,
) -> None:
    (scene.directory / ".docker").mkdir()
    login = {"auths": {"registry.test": {"auth": "dTpwdw=="}}}
    (scene.directory / ".docker/config.json").write_text(json.dumps(login))
    (scene.directory / "Dockerfile").write_text("ARG FROM\nFROM $FROM/base\n")
    ran = await scene.run("app: {build: {args: {FROM: registry.test}}}", STEPS)
    specs = [call.detail for call in ran.engine.calls if call.method == "build"]
    assert [list(spec.credentials) for spec in specs if isinstance(spec, BuildSpec)] == [
        ["registry.test"]
    ]


async def test_a_build_on_the_image_of_another_service_is_known_to_need_the_engine(
    scene: Scene,
) -> None:
    (scene.directory / "Base").write_text("FROM registry.test/base\n")
    (scene.directory / "Dockerfile").write_text("FROM acme/base\n")
    scene.image_options = replace(scene.image_options, pull_if_present=True)
    ran = await scene.run(
        "{base: {build: {image: acme/base, dockerfile: Base}}, app: {build: .}}", STEPS
    )
    specs = [call.detail for call in ran.engine.calls if call.method == "build"]
    found = [(spec.from_engine, spec.pull) for spec in specs if isinstance(spec, BuildSpec)]
    assert found == [(False, True), (True, False)]


@pytest.mark.parametrize("shown", [True, False])
async def test_the_output_of_builds_and_pulls_can_be_left_out(scene: Scene, shown: bool) -> None:
    dockerfile = scene.directory / "Dockerfile"
    dockerfile.write_text("FROM scratch\n")

    def prepare(engine: FakeEngine) -> None:
        engine.builds[dockerfile] = FakeBuild(lines=("Step 1/1",))
        engine.pullable[BASE] = FakeImage()

    scene.prepare = prepare
    scene.image_options = replace(scene.image_options, show_output=shown)
    ran = await scene.run(
        f"{{made: {{build: .}}, {APP}}}",
        "[{service: made, command: x}, {service: app, command: y}]",
    )
    told = [(event.action, event.text) for event in ran.of(ImageOutput)]
    assert told == ([("build", "Step 1/1"), ("pull", f"Pulling {BASE}")] if shown else [])
    assert len(ran.of(ImageStarted)) == 2


async def test_output_that_was_left_out_is_shown_to_its_end_when_the_build_fails(
    scene: Scene,
) -> None:
    """What the failed command wrote is nowhere else."""
    dockerfile = scene.directory / "Dockerfile"
    dockerfile.write_text("FROM scratch\n")
    failing = FakeBuild(lines=tuple(f"line {number}" for number in range(200)), fails="code 3")
    scene.prepare = lambda engine: engine.builds.update({dockerfile: failing})
    scene.image_options = replace(scene.image_options, show_output=False)
    ran = await scene.run("{made: {build: .}}", "[{service: made, command: x}]")
    told = [event.text for event in ran.of(ImageOutput)]
    assert told == [f"line {number}" for number in range(150, 200)]


async def test_why_an_image_is_pulled_or_not_is_a_detail(scene: Scene) -> None:
    scene.images["busybox:latest"] = FakeImage()
    scene.prepare = lambda engine: engine.pullable.update({BASE: FakeImage()})
    ran = await scene.run(
        f"{{box: {{image: busybox}}, {APP}}}",
        "[{service: box, command: x}, {service: app, command: y}]",
    )
    assert details(ran) == [
        'service "box", image busybox:latest: '
        "not pulled, the engine has it (--pull-if-present pulls it)",
        f'service "app", image {BASE}: pulled, the engine lacks it',
    ]


async def test_the_names_of_build_arguments_are_a_detail_and_their_values_are_nowhere(
    scene: Scene,
) -> None:
    (scene.directory / "Dockerfile").write_text("FROM scratch\nARG PASSWORD\n")
    ran = await scene.run(
        "app: {build: {context: ., args: {PASSWORD: hunter2hunter2, MODE: quick-mode}}}", STEPS
    )
    assert [text for text in details(ran) if text.endswith("arguments: PASSWORD, MODE")]
    assert "hunter2hunter2" not in repr(ran.events)
    assert "quick-mode" not in repr(ran.events)


async def test_a_build_starts_from_this_run_s_image_though_another_run_has_taken_its_name(
    scene: Scene,
) -> None:
    """Generated names such as codeship_base are those of every project."""
    for name in ("Base", "App"):
        (scene.directory / name).write_text("FROM codeship_base\n")
    own = FakeBuild(image=FakeImage(salt="own"))
    scene.prepare = lambda engine: engine.builds.update({scene.directory / "Base": own})
    files = "base: {build: {dockerfile: Base}}, app: {build: {dockerfile: App}}"

    def take(engine: FakeEngine) -> None:
        engine.images["codeship_base:latest"] = FakeImage(salt="another run's")

    steps = "{service: base, command: z}, {service: other, command: x}, {service: app, command: y}"
    ran = await _changed(scene, take, f"{{{files}, other: {{image: registry.test/base}}}}", steps)
    assert ran.engine.images["codeship_base:latest"].id == own.image.id
    made = [call.method for call in ran.engine.calls if call.method in {"build", "tag"}]
    assert made == ["build", "tag", "build"]


async def _after_the_first_step(scene: Scene, change: Callable[[FakeEngine], None]) -> list[str]:
    """Ids of the images that two steps ran; `change` is what the first one did to the engine."""
    ran = await _changed(
        scene, change, APP, "{service: app, command: x}, {service: app, command: y}"
    )
    specs = [call.detail for call in ran.engine.calls if call.method == "create"]
    return [spec.image for spec in specs if isinstance(spec, ContainerSpec)]


async def _changed(
    scene: Scene, change: Callable[[FakeEngine], None], services: str, steps: str
) -> Ran:
    """The run of steps that pass; `change` is done to the engine while `x` runs."""
    first = FakeProgram(started=anyio.Event(), until=anyio.Event())
    scene.images[BASE] = FakeImage(
        program=lambda spec: first if spec.command == ("x",) else FakeProgram()
    )

    async def at_work(engine: FakeEngine, _: anyio.CancelScope) -> None:
        assert first.started is not None
        assert first.until is not None
        await first.started.wait()
        change(engine)
        first.until.set()

    scene.beside = at_work
    ran = await scene.run(services, f"[{steps}]")
    assert ran.result.passed
    return ran


@pytest.mark.parametrize("asked", [False, True])
async def test_an_image_that_a_step_made_anew_is_what_the_next_step_runs(
    scene: Scene, asked: bool
) -> None:
    scene.image_options = replace(scene.image_options, pull_if_present=asked)
    rebuilt = FakeImage(salt="rebuilt")
    before, after = await _after_the_first_step(
        scene, lambda engine: engine.images.update({BASE: rebuilt, rebuilt.id: rebuilt})
    )
    assert before != after == rebuilt.id


async def test_an_image_that_a_step_removed_is_pulled_for_the_next_one(scene: Scene) -> None:
    fresh = FakeImage(salt="fresh")
    scene.prepare = lambda engine: engine.pullable.update({BASE: fresh})

    def remove(engine: FakeEngine) -> None:
        del engine.images[BASE]

    _, after = await _after_the_first_step(scene, remove)
    assert after == fresh.id


async def test_a_build_that_hangs_without_a_word_is_stopped_by_the_quiet_timeout(
    scene: Scene,
) -> None:
    dockerfile = scene.directory / "Dockerfile"
    dockerfile.write_text("FROM scratch\n")
    scene.options = replace(scene.options, quiet_timeout=0.05)
    hangs = FakeBuild(lines=("Step 1/2",), until=anyio.Event())
    scene.prepare = lambda engine: engine.builds.update({dockerfile: hangs})
    with anyio.fail_after(10):
        ran = await scene.run("app: {build: {image: made, context: .}}", STEPS)
    assert ran.outcomes["test"] == Broken(
        "the build of made was stopped after 0.05 seconds without output (--quiet-timeout)"
    )
    assert [ended.problem for ended in ran.of(ImageFinished)] == [ran.outcomes["test"].message]


async def test_a_push_that_hangs_without_a_word_is_stopped_by_the_quiet_timeout(
    scene: Scene,
) -> None:
    async def hang(_reference: str, _image: FakeImage) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    def prepare(engine: FakeEngine) -> None:
        engine.on_push = hang

    scene.prepare = prepare
    scene.options = replace(scene.options, quiet_timeout=0.05)
    scene.images[BASE] = FakeImage()
    scene.selection = Selection(push=True)
    push = "[{name: up, service: app, type: push, image_name: registry.test/a, registry: r}]"
    with anyio.fail_after(10):
        ran = await scene.run(APP, push)
    outcome = ran.outcomes["up"]
    assert isinstance(outcome, Broken)
    assert outcome.message.startswith("the push of registry.test/a")
    assert outcome.message.endswith("stopped after 0.05 seconds without output (--quiet-timeout)")


GENERATORS = "{app: {build: .}, good: {image: busybox}, bad: {image: busybox}}"


def _generators(scene: Scene) -> None:
    """Services whose containers write a dockercfg, or fail; a step's credentials come from them."""
    (scene.directory / "Dockerfile").write_text("FROM scratch\n")

    def choose(spec: ContainerSpec) -> FakeProgram:
        if spec.name.startswith("jet-bad"):
            return FakeProgram(exit_code=1)
        dockercfg = b'{"auths": {"r.test": {"auth": "dXNlcjpwYXNzd29yZA=="}}}'
        return FakeProgram(writes={(spec.command or ("",))[0]: dockercfg})

    scene.images["busybox:latest"] = FakeImage(program=choose)


async def test_a_step_s_build_fails_for_no_other_step_s_credentials(scene: Scene) -> None:
    """S-53, T-18, T-35: of a build that two steps need, only a result is shared."""
    _generators(scene)
    scene.selection = Selection(push=True)
    push = "{name: %s, service: app, type: push, image_name: 'r.test/%s', dockercfg_service: %s}"
    first, second = push % ("one", "a", "bad"), push % ("two", "b", "good")
    ran = await scene.run(GENERATORS, f"[{{type: parallel, steps: [{first}, {second}]}}]")
    assert isinstance(ran.outcomes["one"], Broken)
    assert ran.outcomes["two"] == Passed()
    assert list(ran.engine.pushed) == ["r.test/b:latest"]


async def test_a_pull_that_one_step_s_credentials_are_refused_is_tried_with_the_other_s(
    scene: Scene,
) -> None:
    """S-53."""
    _generators(scene)

    def prepare(engine: FakeEngine) -> None:
        engine.pullable[BASE] = FakeImage()
        engine.failures["pull"] = [PullFailed("denied", status=403)]

    scene.prepare = prepare
    step = "{name: %s, service: app, command: x, dockercfg_service: %s}"
    first, second = step % ("one", "good"), step % ("two", "better")
    ran = await scene.run(
        f"{{{APP}, good: {{image: busybox}}, better: {{image: busybox}}}}",
        f"[{{type: parallel, steps: [{first}, {second}]}}]",
    )
    assert isinstance(ran.outcomes["one"], Broken)
    assert ran.outcomes["two"] == Passed()


async def test_a_build_that_fails_is_done_once_for_steps_with_the_same_credentials(
    scene: Scene,
) -> None:
    _generators(scene)
    broken = FakeBuild(fails="no such command")
    scene.prepare = lambda engine: engine.builds.update({scene.directory / "Dockerfile": broken})
    step = "{name: %s, service: app, command: x}"
    both = f"{step % 'one'}, {step % 'two'}"
    ran = await scene.run(
        GENERATORS, f"[{{type: parallel, dockercfg_service: good, steps: [{both}]}}]"
    )
    for outcome in (ran.outcomes["one"], ran.outcomes["two"]):
        assert isinstance(outcome, Broken)
        assert outcome.message == 'service "app": no such command'
        assert (outcome.hint or "").startswith(f"it is built from {scene.directory}/Dockerfile (")
    assert ran.engine.methods().count("build") == 1


async def test_a_build_that_failed_is_not_done_again_for_on_fail(scene: Scene) -> None:
    """Once within a run (I-8); the handlers that need the image break by the same (Q-24)."""
    (scene.directory / "Dockerfile").write_text("FROM scratch\n")
    broken = FakeBuild(fails="no such command")
    scene.prepare = lambda engine: engine.builds.update({scene.directory / "Dockerfile": broken})
    handler = "{name: inner, command: a, on_fail: [{name: innermost, command: b}]}"
    handlers = f"{handler}, {{name: last, command: c}}"
    ran = await scene.run(
        "app: {build: .}", f"[{{name: test, service: app, command: x, on_fail: [{handlers}]}}]"
    )
    assert ran.started == ["test", "inner", "innermost", "last"]
    told = {getattr(outcome, "message", None) for outcome in ran.outcomes.values()}
    assert told == {'service "app": no such command'}
    assert ran.engine.methods().count("build") == 1


async def test_a_dockerfile_that_an_on_fail_step_makes_is_built(scene: Scene) -> None:
    """Nothing was built where there was none (I-10)."""
    made = {"/here/Dockerfile": b"FROM scratch\n"}
    scene.images["busybox:latest"] = FakeImage(program=FakeProgram(writes=made))
    handlers = "{name: make, service: maker, command: a}, {name: use, command: b}"
    ran = await scene.run(
        "{app: {build: .}, maker: {image: busybox, volumes: ['./:/here']}}",
        f"[{{name: test, service: app, command: x, on_fail: [{handlers}]}}]",
    )
    assert isinstance(ran.outcomes["test"], Broken)
    assert ran.outcomes["use"] == Passed()


async def test_a_generator_is_not_built_with_an_argument_that_has_no_value(scene: Scene) -> None:
    (scene.directory / "Dockerfile").write_text("FROM scratch\n")
    ran = await scene.run(
        'gen: {build: {args: {SHORT: "{{slice .CommitID 0 7}}"}}}\napp: {image: r.test/app}\n',
        "[{service: app, command: x, dockercfg_service: gen}]",
    )
    assert isinstance(outcome := ran.outcomes["x"], Broken)
    assert 'argument "SHORT" of service "gen"' in outcome.message
    assert "build" not in ran.engine.methods()


async def test_a_generator_s_image_does_not_wait_for_the_generator_beside_a_file(
    scene: Scene,
) -> None:
    """P-34: the file gives the credentials, the generator is not asked."""
    (scene.directory / "Dockerfile").write_text("FROM scratch\n")
    (scene.directory / "cfg.json").write_text('{"auths": {}}')
    keys = "dockercfg_service: gen, dockercfg_path: cfg.json"
    with anyio.fail_after(10):
        ran = await scene.run(
            "gen: {build: .}", f"[{{name: test, service: gen, command: x, {keys}}}]"
        )
    assert ran.outcomes["test"] == Passed()


async def test_a_base_that_fails_is_told_once_however_many_need_it(scene: Scene) -> None:
    for name, base in (("Base", "scratch"), ("One", "me/base"), ("Two", "me/base")):
        (scene.directory / name).write_text(f"FROM {base}\n")
    failing = {scene.directory / "Base": FakeBuild(fails="no tools")}
    scene.prepare = lambda engine: engine.builds.update(failing)
    ran = await scene.run(
        "{base: {build: {image: me/base, dockerfile: Base}}, db: {build: {dockerfile: Two}},"
        " app: {build: {dockerfile: One}, depends_on: [db]}}",
        STEPS,
    )
    outcome = ran.outcomes["test"]
    assert isinstance(outcome, Broken)
    assert outcome.message == 'service "base": no tools'
    assert ran.of(Notice) == []


async def test_of_two_builds_that_fail_both_are_told_with_their_services(scene: Scene) -> None:
    for name in ("One", "Two"):
        (scene.directory / name).write_text("FROM scratch\n")
    failing = {scene.directory / name: FakeBuild(fails=f"no {name}") for name in ("One", "Two")}
    scene.prepare = lambda engine: engine.builds.update(failing)
    ran = await scene.run(
        "{app: {build: {dockerfile: One}, depends_on: [db]}, db: {build: {dockerfile: Two}}}", STEPS
    )
    outcome = ran.outcomes["test"]
    assert isinstance(outcome, Broken)
    told = [outcome.message, *(notice.text for notice in ran.of(Notice))]
    assert sorted(told) == ['service "app": no One', 'service "db": no Two']
