"""Dependencies of a step: order, names, health, lifetime (spec 2.6 to 2.8)."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from longshore.engine.spec import ContainerSpec, Health
from longshore.errors import EngineError, EngineUnavailable
from longshore.run.events import ServiceMessage
from longshore.run.outcome import Broken, Failed, Passed
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage, FakeProgram, out
from longshore.testing.scene import Ran, Scene

CHAIN = """
app: {image: busybox, depends_on: [web]}
web: {image: busybox, depends_on: [db]}
db: {image: busybox}
"""


def _names(ran: Ran) -> list[str]:
    created = [call.subject for call in ran.engine.calls if call.method == "create"]
    return [name.split("-")[1] for name in created]


def _messages(ran: Ran) -> list[str]:
    return [event.text for event in ran.events if isinstance(event, ServiceMessage)]


async def test_dependencies_start_before_their_dependants_and_anew_for_every_step(
    scene: Scene,
) -> None:
    ran = await scene.run(CHAIN, "[{service: app, command: x}, {service: app, command: y}]")
    assert _names(ran) == ["db", "web", "app"] * 2


async def test_a_step_with_one_container_makes_no_network(scene: Scene) -> None:
    ran = await scene.run("app: {image: busybox}", "[{service: app, command: x}]")
    assert "create_network" not in ran.engine.methods()


async def test_a_container_alone_in_its_step_finds_itself_by_name(scene: Scene) -> None:
    """S-33, Q-34: as it does where it has dependencies."""
    scene.images["busybox:latest"] = FakeImage(program=FakeProgram(resolves=("App", "app")))
    ran = await scene.run("App: {image: busybox}", "[{service: App, command: x}]")
    assert ran.outcomes["x"] == Passed()


@pytest.mark.parametrize("key", ["extra_hosts: ['app:10.0.0.7']", "hostname: app"])
async def test_what_the_user_says_its_own_name_means_holds(scene: Scene, key: str) -> None:
    ran = await scene.run(f"app: {{image: busybox, {key}}}", "[{service: app, command: x}]")
    hosts = ran.engine.container("jet-app").spec.limits.extra_hosts
    assert hosts == (("app:10.0.0.7",) if "10.0.0.7" in key else ())


async def test_a_name_that_no_host_can_have_keeps_no_container_from_its_start(
    scene: Scene,
) -> None:
    ran = await scene.run("'a:b': {image: busybox}", "[{service: 'a:b', command: x}]")
    assert ran.engine.container("jet-ab").spec.limits.extra_hosts == ()


async def test_services_answer_to_their_names_and_aliases(scene: Scene) -> None:
    ran = await scene.run(
        "{App: {image: busybox, links: ['db:db1', 'db:db2']}, db: {image: busybox}}",
        "[{service: App, command: x}]",
    )
    aliases = {
        name: container.spec.network.aliases
        for name in ("App", "db")
        if (container := ran.engine.container(f"jet-{name}")).spec.network is not None
    }
    assert aliases == {"App": ("App", "app"), "db": ("db", "db1", "db2")}
    assert _names(ran) == ["db", "App"]


async def test_dependants_wait_for_health_and_the_log_says_so(scene: Scene) -> None:
    scene.images["db:latest"] = FakeImage(
        program=FakeProgram(health=(Health.STARTING, Health.HEALTHY), until=anyio.Event()),
        has_health_check=True,
    )
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: db}}",
        "[{service: app, command: x}]",
    )
    assert _messages(ran)[:2] == [
        'Waiting for "db" service to become healthy',
        "Status changed to 'healthy' for \"db\" service",
    ]
    assert ran.result.passed


async def test_a_health_check_that_the_image_does_not_tell_of_is_waited_for(scene: Scene) -> None:
    """Podman tells of an image's check only when it is asked for a container."""
    scene.images["db:latest"] = FakeImage(
        program=FakeProgram(health=(Health.STARTING, Health.HEALTHY), until=anyio.Event())
    )
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: db}}",
        "[{service: app, command: x}]",
    )
    assert "Status changed to 'healthy' for \"db\" service" in _messages(ran)


async def test_without_a_health_check_nothing_is_said_of_one(scene: Scene) -> None:
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: busybox}}",
        "[{service: app, command: x}]",
    )
    assert not [text for text in _messages(ran) if "health" in text]


async def test_an_unhealthy_dependency_fails_the_step_with_its_last_lines(scene: Scene) -> None:
    scene.images["db:latest"] = FakeImage(
        program=FakeProgram(
            output=(out("cannot open the data file\n"),),
            health=(Health.STARTING, Health.UNHEALTHY),
            until=anyio.Event(),
        ),
        has_health_check=True,
    )
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: db}}",
        "[{service: app, command: x}]",
    )
    outcome = ran.outcomes["x"]
    assert isinstance(outcome, Broken)
    assert outcome.message == 'service "db" became unhealthy'
    assert "cannot open the data file" in (outcome.hint or "")
    assert "app" not in _names(ran)


async def test_a_health_check_without_a_verdict_fails_the_step_after_the_limit(
    scene: Scene,
) -> None:
    scene.options = replace(scene.options, health_timeout=0.05)
    scene.images["db:latest"] = FakeImage(
        program=FakeProgram(health=(Health.STARTING,), until=anyio.Event()), has_health_check=True
    )
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: db}}",
        "[{service: app, command: x}]",
    )
    assert isinstance(ran.outcomes["x"], Broken)


async def test_a_dependency_that_exits_early_is_told_of_and_the_step_goes_on(scene: Scene) -> None:
    scene.images["db:latest"] = FakeImage(program=FakeProgram(exit_code=4))
    hold = anyio.Event()

    def choose(spec: ContainerSpec) -> FakeProgram:
        return FakeProgram(until=hold)

    async def release(engine: object, _: anyio.CancelScope) -> None:
        while not any(c.exit for c in engine.containers.values()):  # type: ignore[attr-defined]  # a FakeEngine
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()
        hold.set()

    scene.images["busybox:latest"] = FakeImage(program=choose)
    scene.beside = release
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: db}}",
        "[{service: app, command: x}]",
    )
    assert ran.outcomes["x"] == Passed()
    assert 'service "db" exited with code 4' in _messages(ran)


@pytest.mark.parametrize("service", ["app", "db"])
async def test_a_service_that_cannot_start_fails_the_step_and_is_named(
    scene: Scene, service: str
) -> None:
    scene.images[f"{service}:latest"] = FakeImage(
        program=FakeProgram(refuses_to_start="no such command")
    )
    scene.images.setdefault("app:latest", FakeImage())
    scene.images.setdefault("db:latest", FakeImage())
    ran = await scene.run(
        "{app: {image: app, depends_on: [db]}, db: {image: db}}", "[{service: app, command: x}]"
    )
    assert ran.outcomes["x"] == Broken(
        f'service "{service}" could not be started: the engine says: no such command'
    )


async def test_a_container_that_the_engine_refuses_to_create_is_named_with_its_hint(
    scene: Scene,
) -> None:
    refusal = EngineError("the engine says: invalid mount", hint="look at volumes")
    scene.prepare = lambda engine: engine.failures.update({"create": [refusal]})
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: busybox}}",
        "[{service: app, command: x}]",
    )
    assert ran.outcomes["x"] == Broken(
        'service "db" could not be started: the engine says: invalid mount', "look at volumes"
    )


async def test_an_engine_that_goes_away_while_a_service_starts_is_told_as_such(
    scene: Scene,
) -> None:
    scene.prepare = lambda engine: engine.failures.update({"create": [EngineUnavailable("gone")]})
    ran = await scene.run("app: {image: busybox}", "[{service: app, command: x}]")
    assert ran.outcomes["x"] == Broken("gone", engine_lost=True)


async def test_volumes_from_mounts_the_container_of_the_same_step(scene: Scene) -> None:
    ran = await scene.run(
        "{app: {image: busybox, volumes_from: [data]}, data: {image: busybox, volumes: [/d]}}",
        "[{service: app, command: x}]",
    )
    data, app = ran.engine.container("jet-data"), ran.engine.container("jet-app")
    assert app.spec.volumes_from == (data.id,)


async def test_the_environment_is_put_together_in_the_documented_order(scene: Scene) -> None:
    (scene.directory / "one.env").write_text("A=file\nB=file\n")
    scene.host = {"FROM_HOST": "host"}
    ran = await scene.run(
        """
        app:
          image: busybox
          environment: {A: yaml, C: yaml, CI_NAME: mine, FROM_HOST: }
          env_file: one.env
        """,
        "[{service: app, command: x}]",
    )
    environment = dict(ran.engine.container("jet-app").spec.environment)
    assert environment["A"] == environment["B"] == "file"
    assert (environment["C"], environment["CI_NAME"]) == ("yaml", "mine")
    assert environment["CI"] == "true"
    assert environment["FROM_HOST"] == "host"


async def test_a_missing_host_directory_is_made_by_us(scene: Scene) -> None:
    scene.prepare = lambda engine: setattr(
        engine, "engine_info", replace(engine.engine_info, local=True)
    )
    ran = await scene.run(
        "app: {image: busybox, volumes: ['./tmp:/x']}", "[{service: app, command: x}]"
    )
    assert (scene.directory / "tmp").is_dir()
    mount = ran.engine.container("jet-app").spec.mounts[0]
    assert mount.host == str(scene.directory / "tmp")


async def test_no_directory_is_made_in_the_place_of_a_missing_file(scene: Scene) -> None:
    scene.prepare = lambda engine: setattr(
        engine, "engine_info", replace(engine.engine_info, local=True)
    )
    services = "{db: {image: busybox, volumes: [./db/my.cnf:/my.cnf, ./a.test:/www/a.test]}}"
    file = scene.directory / "db" / "my.cnf"
    ran = await scene.run(services, "[{service: db, command: x}]")
    outcome = ran.outcomes["x"]
    assert isinstance(outcome, Broken)
    assert outcome.message == f'the file {file} that service "db" mounts does not exist'
    assert not file.parent.exists()
    file.parent.mkdir()
    file.write_text("")
    ran = await scene.run(services, "[{service: db, command: x}]")
    assert ran.result.passed
    assert (scene.directory / "a.test").is_dir()


async def test_a_host_directory_that_cannot_be_made_breaks_the_step(scene: Scene) -> None:
    scene.prepare = lambda engine: setattr(
        engine, "engine_info", replace(engine.engine_info, local=True)
    )
    (scene.directory / "file").write_text("")
    ran = await scene.run(
        "app: {image: busybox, volumes: ['./file/below:/x']}", "[{service: app, command: x}]"
    )
    outcome = ran.outcomes["x"]
    assert isinstance(outcome, Broken)
    assert "cannot make the directory" in outcome.message


async def test_a_generator_service_supplies_the_credentials_of_a_pull(scene: Scene) -> None:
    dockercfg = b'{"auths": {"r.example": {"auth": "dXNlcjpwYXNzd29yZA=="}}}'

    def choose(spec: ContainerSpec) -> FakeProgram:
        assert spec.command is not None
        return FakeProgram(writes={spec.command[0]: dockercfg})

    scene.images["generator:latest"] = FakeImage(program=choose)
    scene.prepare = lambda engine: engine.pullable.update({"r.example/app:latest": FakeImage()})
    ran = await scene.run(
        "{app: {image: r.example/app, dockercfg_service: gen}, gen: {image: generator}}",
        "[{service: app, command: x}]",
    )
    assert ran.result.passed, ran.result
    pulls = [call for call in ran.engine.calls if call.method == "pull"]
    assert getattr(pulls[0].detail, "username", None) == "user"


async def test_a_file_that_vanishes_before_its_service_starts_breaks_the_step(
    scene: Scene,
) -> None:
    services = """
    app: {image: busybox, depends_on: [db]}
    db: {image: busybox, env_file: gone.env}
    """
    ran = await scene.run(services, "[{service: app, command: x}, {service: db, command: y}]")
    outcome = ran.outcomes["x"]
    assert isinstance(outcome, Broken)
    assert "gone.env" in outcome.message
    alone = await scene.run(services, "[{service: db, command: y}]")
    assert isinstance(alone.outcomes["y"], Broken)


async def test_service_started_is_enough_even_when_somebody_else_waits_for_health(
    scene: Scene,
) -> None:
    """The database turns healthy only after the migration that needs it started has run."""
    migrated = anyio.Event()
    scene.images["db:latest"] = FakeImage(
        program=FakeProgram(health=(Health.STARTING,), until=anyio.Event()), has_health_check=True
    )
    scene.images["migrate:latest"] = FakeImage(program=FakeProgram(started=migrated))

    async def heal(engine: FakeEngine, _: anyio.CancelScope) -> None:
        await migrated.wait()
        engine.container("jet-db").set_health(Health.HEALTHY)

    scene.beside = heal
    with anyio.fail_after(10):
        ran = await scene.run(
            """
            app: {image: busybox, depends_on: [db, migrate]}
            migrate: {image: migrate, depends_on: {db: {condition: service_started}}}
            db: {image: db}
            """,
            "[{service: app, command: x}]",
        )
    assert ran.outcomes["x"] == Passed()
    assert _names(ran) == ["db", "migrate", "app"]


async def _until_it_runs(engine: FakeEngine, name: str) -> None:
    while not any(c.running and c.spec.name.startswith(name) for c in engine.containers.values()):
        await anyio.lowlevel.checkpoint()


async def _remove_when_it_runs(engine: FakeEngine, name: str) -> None:
    """As another program on the engine would."""
    await _until_it_runs(engine, "jet-app")
    await anyio.wait_all_tasks_blocked()
    await engine.remove(engine.container(name).id)
    await anyio.wait_all_tasks_blocked()


async def test_a_removed_dependency_is_told_with_its_last_line_and_hides_no_exit_code(
    scene: Scene,
) -> None:
    hold = anyio.Event()
    scene.images["db:latest"] = FakeImage(
        program=FakeProgram(output=(out("one\ntwo\n"),), until=anyio.Event())
    )
    scene.images["busybox:latest"] = FakeImage(program=FakeProgram(until=hold, exit_code=5))

    async def remove(engine: FakeEngine, _: anyio.CancelScope) -> None:
        await _remove_when_it_runs(engine, "jet-db")
        hold.set()

    scene.beside = remove
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: db}}",
        "[{service: app, command: x}]",
    )
    assert ran.outcomes["x"] == Failed(5)
    (lost,) = [text for text in _messages(ran) if "was lost" in text]
    assert lost.endswith("its last line was: two")


async def test_what_a_dependency_writes_is_no_silence(scene: Scene) -> None:
    """The step itself says nothing for three times the limit, its dependency all the time."""
    scene.options = replace(scene.options, quiet_timeout=0.2)
    hold = anyio.Event()
    scene.images["db:latest"] = FakeImage(program=FakeProgram(until=anyio.Event()))
    scene.images["busybox:latest"] = FakeImage(program=FakeProgram(until=hold))

    async def write(engine: FakeEngine, _: anyio.CancelScope) -> None:
        await _until_it_runs(engine, "jet-app")
        for _number in range(12):
            await anyio.sleep(0.05)
            await engine.container("jet-db").attachments[0].give(out("tick\n"))
        hold.set()

    scene.beside = write
    ran = await scene.run(
        "{app: {image: busybox, depends_on: [db]}, db: {image: db}}",
        "[{service: app, command: x}]",
    )
    assert ran.outcomes["x"] == Passed()
