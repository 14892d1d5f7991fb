"""Images that steps need: built once, and broken for those alone that need them."""

from __future__ import annotations

from longshore.run.outcome import Broken, Passed
from longshore.testing.engine_script import FakeBuild
from longshore.testing.scene import Scene


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
