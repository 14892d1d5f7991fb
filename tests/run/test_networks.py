"""Steps wait for networks of steps that are over, where the engine has no more to give."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from longshore.run.events import ServiceMessage
from longshore.run.outcome import Broken, Passed
from longshore.testing.engine_script import FakeImage, FakeProgram
from longshore.testing.scene import Scene


async def test_a_step_waits_for_the_network_of_one_that_is_over(scene: Scene) -> None:
    """Its dependency ignores SIGTERM, so that its network is there for the whole grace period."""
    scene.prepare = lambda engine: setattr(engine, "most_networks", 1)
    scene.images["db:latest"] = FakeImage(
        program=FakeProgram(until=anyio.Event(), ignores_term=True)
    )
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: db}}",
        "[{service: app, command: x}, {service: app, command: y}]",
    )
    assert ran.outcomes == {"x": Passed(), "y": Passed()}


async def test_networks_of_others_are_not_waited_for(scene: Scene) -> None:
    scene.prepare = lambda engine: setattr(engine, "most_networks", 0)
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: busybox}}",
        "[{service: app, command: x}]",
    )
    outcome = ran.outcomes["x"]
    assert isinstance(outcome, Broken)
    assert "address pools" in outcome.message


async def test_side_by_side_steps_wait_for_each_other_s_networks(scene: Scene) -> None:
    scene.options = replace(scene.options, max_parallel=3)
    scene.prepare = lambda engine: setattr(engine, "most_networks", 1)
    with anyio.fail_after(10):
        ran = await scene.run(
            "{app: {image: busybox, depends_on: [db]}, db: {image: busybox}}",
            "[{type: parallel, service: app, steps: [{command: x}, {command: y}, {command: z}]}]",
        )
    assert ran.result.passed


@pytest.mark.parametrize(("serves", "code", "told"), [(False, 1, 1), (False, 0, 0), (True, 1, 0)])
async def test_a_step_that_fails_where_no_service_finds_another_tells_what_to_install(
    scene: Scene, serves: bool, code: int, told: int
) -> None:
    scene.prepare = lambda engine: setattr(engine, "serves_names", serves)
    scene.images["db:latest"] = FakeImage(program=FakeProgram(until=anyio.Event()))
    scene.images["app:latest"] = FakeImage(program=FakeProgram(exit_code=code))
    ran = await scene.run(
        "{app: {image: app, depends_on: [db]}, db: {image: db}}", "[{service: app, command: x}]"
    )
    messages = [message.text for message in ran.of(ServiceMessage)]
    assert sum("aardvark-dns" in text for text in messages) == told
