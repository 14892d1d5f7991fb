"""`longshore steps` as users see it: lines, order, exit codes (spec 7.7, C-5)."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from subprocess import Popen, TimeoutExpired

import anyio
import pytest

from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import Resource
from longshore.run.scope import OWNER, OWNER_LABEL

from .conftest import UP, User

SERVICES = "app: {image: longshore-test/busybox}\n"
SERVED = """
app: {image: longshore-test/busybox, depends_on: [db]}
db: {image: longshore-test/busybox, command: sleep 100}
"""
WaitFor = Callable[["Popen[str]", str], str]


async def _labelled(endpoint: Endpoint) -> tuple[Resource, ...]:
    async with connect(endpoint) as engine:
        return await engine.resources({OWNER_LABEL: OWNER})


def labelled(endpoint: Endpoint) -> list[str]:
    """What runs have on the engine now."""
    return [resource.name for resource in anyio.run(_labelled, endpoint)]


def test_a_passing_pipeline_prints_the_lines_of_the_original(user: User) -> None:
    user.write("codeship-services.yml", SERVICES)
    user.write("codeship-steps.yml", "- {name: greet, service: app, command: echo hello}\n")
    done = user.run("steps")
    assert done.stdout == (
        "(step: greet)\n(service: app) (step: greet) hello\n(step: greet) success ✔\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_dependencies_print_can_be_kept_for_steps_that_fail(user: User) -> None:
    user.write(
        "codeship-services.yml",
        """
        app: {image: longshore-test/busybox, depends_on: [db]}
        db: {image: longshore-test/busybox, command: "sh -c 'echo ready; sleep 60'"}
        """,
    )
    user.write(
        "codeship-steps.yml",
        """
        - {name: good, service: app, command: sh -c 'sleep 1; echo well'}
        - {name: bad, service: app, command: sh -c 'sleep 1; exit 7'}
        """,
    )
    done = user.run("steps", "--no-print-dependency-output", "--stop-grace", "1s")
    assert done.stdout == (
        "(step: good)\n(service: app) (step: good) well\n(step: good) success ✔\n"
        "(step: bad)\n(service: db) (step: bad) ready\n"
        "(step: bad) container exited with a 7 code\n(step: bad) failed ✘\n"
    )


def test_a_failing_step_gives_exit_code_1_and_the_end_tells_what_did_not_run(user: User) -> None:
    user.write("codeship-services.yml", SERVICES)
    user.write(
        "codeship-steps.yml",
        """
        - {name: bad, service: app, command: sh -c 'exit 7'}
        - {name: later, service: app, command: "true"}
        """,
    )
    done = user.run("steps")
    assert done.returncode == 1
    assert "(step: bad) container exited with a 7 code\n(step: bad) failed ✘\n" in done.stdout
    assert done.stderr == (
        'Error: step "bad" failed: container exited with a 7 code\nnot run: later\n'
    )


def test_a_service_reaches_itself_by_name_with_a_dependency_and_without(user: User) -> None:
    """S-33, Q-34."""
    user.write(
        "codeship-services.yml",
        "App: {image: longshore-test/busybox}\n"
        "Two: {image: longshore-test/busybox, depends_on: [App]}\n",
    )
    user.write(
        "codeship-steps.yml",
        """
        - {service: App, command: sh -c 'ping -c 1 App && ping -c 1 app'}
        - {service: Two, command: sh -c 'ping -c 1 Two && ping -c 1 two'}
        """,
    )
    done = user.run("steps")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("1 packets received") == 4


def test_half_lines_and_carriage_returns_still_give_one_prefix_a_line(user: User) -> None:
    user.write("codeship-services.yml", SERVICES)
    user.write(
        "codeship-steps.yml",
        r"""
        - {name: t, service: app, command: "printf 'a\\rb\\nc'"}
        """,
    )
    lines = user.run("steps").stdout.splitlines()
    assert lines[1:3] == ["(service: app) (step: t) b", "(service: app) (step: t) c"]


def test_ctrl_c_stops_the_step_removes_everything_and_exits_130(
    user: User, engine_endpoint: Endpoint, wait_for: WaitFor
) -> None:
    user.write("codeship-services.yml", SERVICES)
    user.write("codeship-steps.yml", f"- {{name: s, service: app, command: {UP}}}\n")
    before = set(labelled(engine_endpoint))
    process = user.start("steps")
    wait_for(process, "up")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert set(labelled(engine_endpoint)) <= before


def test_a_second_ctrl_c_leaves_at_once_and_says_how_to_clean_up(
    user: User, wait_for: WaitFor
) -> None:
    user.write("codeship-services.yml", SERVICES)
    user.write(
        "codeship-steps.yml",
        """- {name: s, service: app, command: "sh -c 'trap : TERM; echo up; sleep 9; sleep 9'"}""",
    )
    process = user.start("steps")
    wait_for(process, "up")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert any("once more" in line for line in iter(process.stderr.readline, ""))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "longshore cleanup" in told
    assert "Traceback" not in told
    assert "Removed container" in user.run("cleanup").stdout


def test_a_third_ctrl_c_while_the_program_ends_changes_nothing(
    user: User, wait_for: WaitFor
) -> None:
    user.write("codeship-services.yml", SERVICES)
    user.write(
        "codeship-steps.yml", "- {name: s, service: app, command: sh -c 'echo up; sleep 60'}\n"
    )
    process = user.start("steps")
    wait_for(process, "up")
    told = ""
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(TimeoutExpired):
            _, told = process.communicate(timeout=0.01)
    # The interpreter's last moments have no handler any more: there the signal itself ends it.
    assert process.returncode in {130, -signal.SIGINT}
    assert "Traceback" not in told
    assert "KeyboardInterrupt" not in told


def test_ctrl_c_cuts_the_clean_up_after_the_last_step_short(
    user: User, engine_endpoint: Endpoint, wait_for: WaitFor
) -> None:
    """C-6: the dependency ignores SIGTERM, and has its whole grace period else (T-6)."""
    user.write("codeship-services.yml", SERVED)
    user.write("codeship-steps.yml", "- {name: s, service: app, command: echo up}\n")
    process = user.start("steps", "--stop-grace", "60s")
    wait_for(process, "success")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert told == "stopping what still runs (once more to leave at once)\n"
    assert process.returncode == 130
    assert user.left_on(engine_endpoint) == []


def test_a_killed_run_is_swept_by_the_next_one_and_a_living_one_is_not(
    user: User, engine_endpoint: Endpoint, wait_for: WaitFor
) -> None:
    user.write(
        "codeship-services.yml",
        "app: {image: longshore-test/busybox, depends_on: [db]}\n"
        "db: {image: longshore-test/busybox, command: sleep 60}\n",
    )
    user.write(
        "codeship-steps.yml",
        "- {name: s, service: app, command: sh -c 'echo up; sleep 60'}\n",
    )
    killed, living = user.start("steps"), user.start("steps")
    wait_for(killed, "up")
    wait_for(living, "up")
    killed.kill()
    killed.communicate()
    swept = user.run("cleanup")
    assert swept.stdout.count("Removed container") == 2
    assert swept.stdout.count("Removed network") == 1
    left = labelled(engine_endpoint)
    assert len(left) == 3, left
    assert living.poll() is None


def test_the_documentations_example_names_both_wrong_services_before_anything_starts(
    user: User,
) -> None:
    user.write("codeship-services.yml", "demo: {image: longshore-test/busybox}\n")
    user.write(
        "codeship-steps.yml",
        """\
        - service: app
          command: ls ./
        - service: app
          type: push
          image_name: localhost:5000/myapp
          registry: localhost:5000
        """,
    )
    done = user.run("steps", "--push")
    expected = 'error: step {} refers to undefined service "app"; did you mean "demo"?'
    assert f"codeship-steps.yml:1:12: {expected.format(1)}" in done.stderr
    assert f"codeship-steps.yml:3:12: {expected.format(2)}" in done.stderr
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("services", "steps", "code", "words"),
    [
        (None, "[]", 2, "no services file found"),
        ("", "[]", 2, "codeship-services.yml"),
        ("{", "[]", 2, "codeship-services.yml"),
        ("app: {build: .}", "[{service: app, command: x}]", 1, "there is no Dockerfile at"),
        ("app: {image: nowhere.invalid/x}", "[{service: app, command: x}]", 1, "not found"),
        (SERVICES, "[{service: app, command: no-such-program}]", 1, "no-such-program"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_the_right_exit_code(
    user: User, services: str | None, steps: str, code: int, words: str
) -> None:
    if services is not None:
        user.write("codeship-services.yml", services)
    user.write("codeship-steps.yml", steps)
    done = user.run("steps")
    assert done.returncode == code, done
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_without_an_engine_the_exit_code_is_125(user: User) -> None:
    user.write("codeship-services.yml", SERVICES)
    user.write("codeship-steps.yml", "- {service: app, command: 'true'}\n")
    done = user.run("steps", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert done.returncode == 125
    assert "/nowhere/docker.sock" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_says_why_its_container_ended_where_that_was_not_by_itself(user: User) -> None:
    user.write("codeship-services.yml", "app: {image: longshore-test/busybox, mem_limit: 20m}\n")
    done = user.run("run", "app", "tail", "/dev/zero")
    assert done.returncode == 137
    assert "the engine killed it for want of memory" in done.stderr


@pytest.mark.parametrize(("program", "code"), [("no-such-program", 127), ("/bin", 126)])
def test_run_of_what_cannot_be_executed_ends_as_docker_run_does(
    user: User, program: str, code: int
) -> None:
    user.write("codeship-services.yml", SERVICES)
    done = user.run("run", "app", program)
    assert done.returncode == code
    assert f'service "app" could not be started: the engine says: exec: "{program}"' in done.stderr


def test_run_whose_dependency_cannot_start_has_failed(user: User) -> None:
    user.write(
        "codeship-services.yml",
        "app: {image: longshore-test/busybox, depends_on: [db]}\n"
        "db: {image: longshore-test/busybox, command: no-such-program}\n",
    )
    done = user.run("run", "app", "true")
    assert (done.returncode, 'service "db" could not' in done.stderr) == (1, True)


def test_run_passes_output_input_and_exit_code_through(user: User) -> None:
    user.write("codeship-services.yml", SERVICES)
    done = user.run("run", "app", "sh", "-c", "echo out; echo err >&2; exit 5")
    assert (done.returncode, done.stdout) == (5, "out\n")
    assert "err\n" in done.stderr
