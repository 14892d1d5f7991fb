"""Which image a push step pushes, and whether it pushes at all (P-7 to P-9, I-5)."""

from __future__ import annotations

from longshore.plan.selection import Selection
from longshore.run.events import Notice
from longshore.run.outcome import Skipped
from longshore.testing.engine_script import FakeBuild, FakeImage
from longshore.testing.scene import Scene

APP = "app: {image: busybox}"
DIND = "app: {image: busybox, add_docker: true}"


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
    ran = await scene.run(DIND, f"[{push % ''}, {push % ', image_tag: v1'}]")
    assert ran.result.passed, ran.result
    tagged = [call.subject for call in ran.engine.calls if call.method == "tag"]
    assert tagged[0] == by_hand.salted("localhost:5000/a:latest").id
    assert tagged[1] != tagged[0]
    assert any("not that of service" in e.text for e in ran.events if isinstance(e, Notice))


async def test_a_step_with_the_engine_s_socket_among_its_volumes_may_have_named_an_image(
    scene: Scene,
) -> None:
    scene.selection = Selection(push=True)
    by_hand = FakeImage(created="2999-01-01T00:00:00Z")
    scene.prepare = lambda engine: engine.images.update({"localhost:5000/a:latest": by_hand})
    (scene.directory / "docker.sock").touch()
    ran = await scene.run(
        f"{{{APP}, cli: {{image: busybox, volumes: ['./docker.sock:/run/docker.sock']}}}}",
        "[{service: cli, command: x}, {type: push, service: app, image_name: 'localhost:5000/a'}]",
    )
    assert ran.engine.pushed == {"localhost:5000/a:latest": by_hand.id}


async def test_an_untagged_push_is_the_service_s_own_though_another_run_named_an_image_so(
    scene: Scene,
) -> None:
    """One of the same project, or of another one: what it built passed no step of this run."""
    scene.selection = Selection(push=True)
    others = FakeImage(created="2999-01-01T00:00:00Z")
    scene.prepare = lambda engine: engine.images.update({"localhost:5000/a:latest": others})
    ran = await scene.run(APP, "[{type: push, service: app, image_name: 'localhost:5000/a'}]")
    assert ran.result.passed, ran.result
    assert ran.engine.pushed != {"localhost:5000/a:latest": others.id}
    assert ran.of(Notice) == []


async def test_an_image_made_by_hand_is_such_a_one_though_a_step_has_used_it(scene: Scene) -> None:
    """P-8, P-9: it has another name as well, under which a service takes it."""
    scene.selection = Selection(push=True)
    by_hand = FakeImage(created="2999-01-01T00:00:00Z")
    both = {"localhost:5000/a:latest": by_hand, "me/byhand:latest": by_hand}
    scene.prepare = lambda engine: engine.images.update(both)
    ran = await scene.run(
        f"{{{DIND}, hand: {{image: me/byhand}}}}",
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
