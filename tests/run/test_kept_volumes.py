"""``--keep-volumes``: the steps of a run share the volumes of services (spec Q-5)."""

from __future__ import annotations

from msgspec.structs import replace

from longshore.engine.spec import ContainerSpec
from longshore.testing.engine_script import FakeImage
from longshore.testing.scene import Scene

SHARED = """
app: {image: busybox, volumes_from: [seeder]}
seeder: {image: busybox, volumes_from: [data]}
data: {image: busybox, volumes: [/d]}
"""


async def test_keep_volumes_gives_every_step_the_volumes_of_one_container_removed_last(
    scene: Scene,
) -> None:
    scene.options = replace(scene.options, keep_volumes=True)
    ran = await scene.run(SHARED, "[{service: app, command: x}, {service: app, command: y}]")
    assert ran.result.passed
    specs = [c.detail for c in ran.engine.calls if c.method == "create"]
    taken = [s.volumes_from for s in specs if isinstance(s, ContainerSpec)]
    data, seeder = [c.id for c in ran.engine.containers.values() if not c.started]
    in_a_step = [(data,), (seeder, data), (seeder,)]
    assert sorted(taken) == sorted([(), (data,), *in_a_step, *in_a_step])
    assert [c.subject for c in ran.engine.calls if c.method == "remove"][-2:] == [data, seeder]


async def test_keep_volumes_takes_images_without_a_command(scene: Scene) -> None:
    """Engines refuse to create a container that has none, though this one is never started."""
    scene.images["data:latest"] = FakeImage()
    scene.options = replace(scene.options, keep_volumes=True)
    services = SHARED.replace("data: {image: busybox", "data: {image: data, command: sleep 9")
    ran = await scene.run(services, "[{service: app, command: x}]")
    specs = [c.detail for c in ran.engine.calls if c.method == "create"]
    of_data = [s for s in specs if isinstance(s, ContainerSpec) and "-data-" in s.name]
    assert len(of_data) == 2
    assert all(spec.command for spec in of_data)
