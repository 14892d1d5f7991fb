"""Limits, interruptions and what is kept, as users see them (T-43, T-44, C-6, C-22)."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable
from subprocess import Popen

import pytest

from longshore.engine.endpoint import Endpoint

from .conftest import UP, User

WaitFor = Callable[["Popen[str]", str], str]

APP = "app: {image: longshore-test/busybox}\n"
STUBBORN = "sh -c 'trap : TERM INT; echo up; while :; do sleep 0.2; done'"
SICK = """
app: {image: longshore-test/busybox, depends_on: [db]}
db: {build: {image: longshore-test/never-healthy, dockerfile: Dockerfile}}
"""
NEVER_HEALTHY = """
FROM longshore-test/busybox
HEALTHCHECK --interval=1s --retries=1000 CMD false
STOPSIGNAL SIGKILL
CMD ["sh", "-c", "echo db is up; exec sleep 100"]
"""


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--step-timeout", "stopped after 2 seconds (--step-timeout)"),
        ("--quiet-timeout", "stopped after 2 seconds without output (--quiet-timeout)"),
    ],
)
def test_a_step_over_its_limit_is_stopped_and_said_so(
    user: User, engine_endpoint: Endpoint, flag: str, words: str
) -> None:
    user.write("codeship-services.yml", APP)
    user.write("codeship-steps.yml", f'- {{name: slow, service: app, command: "{STUBBORN}"}}\n')
    began = time.monotonic()
    done = user.run("steps", flag, "2s", "--stop-grace", "1s")
    assert f"(step: slow) {words}\n(step: slow) failed ✘\n" in done.stdout, done
    assert done.returncode == 1
    assert time.monotonic() - began < 12
    assert user.left_on(engine_endpoint) == []


def test_a_run_over_its_limit_names_the_step_it_was_in_and_those_it_did_not_reach(
    user: User, engine_endpoint: Endpoint
) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        "- {name: first, service: app, command: echo quick}\n"
        f'- {{name: slow, service: app, command: "{STUBBORN}"}}\n'
        "- {name: later, service: app, command: echo never}\n",
    )
    done = user.run("steps", "--timeout", "3s", "--stop-grace", "1s")
    assert done.returncode == 1, done
    assert "Error: stopped by --timeout after 3." in done.stderr
    assert "\nstopped: slow\nnot run: later\n" in done.stderr
    assert "(step: slow) stopped\n" in done.stdout
    assert user.left_on(engine_endpoint) == []


def test_a_talkative_step_is_not_stopped_for_being_quiet(user: User) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        "- {service: app, command: sh -c 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done'}\n",
    )
    assert user.run("steps", "--quiet-timeout", "2s").returncode == 0


def test_fail_fast_stops_the_siblings_and_says_what_became_of_them(
    user: User, engine_endpoint: Endpoint
) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        """
        - type: parallel
          name: both
          steps:
            - {name: bad, service: app, command: sh -c 'sleep 1; exit 4'}
            - {name: slow, service: app, command: sh -c 'echo up; sleep 60'}
        """,
    )
    began = time.monotonic()
    done = user.run("steps", "--fail-fast", "--max-parallel", "2", "--stop-grace", "1s")
    assert done.returncode == 1
    assert time.monotonic() - began < 15
    assert 'step "bad" failed: container exited with a 4 code' in done.stderr
    assert done.stderr.endswith("stopped: slow\n"), done
    assert user.left_on(engine_endpoint) == []


def test_no_remove_keeps_containers_over_the_next_run_until_cleanup(
    user: User, engine_endpoint: Endpoint
) -> None:
    user.write(
        "codeship-services.yml",
        "app: {image: longshore-test/busybox, depends_on: [db]}\n"
        "db: {image: longshore-test/busybox, command: sleep 100}\n",
    )
    user.write("codeship-steps.yml", "- {name: s, service: app, command: sh -c 'echo kept'}\n")
    assert user.run("steps", "--no-remove", "--stop-grace", "1s").returncode == 0
    kept = user.left_on(engine_endpoint)
    assert len(kept) == 3
    assert user.run("steps", "--stop-grace", "1s").returncode == 0
    assert user.left_on(engine_endpoint) == kept
    assert user.run("cleanup").returncode == 0
    assert user.left_on(engine_endpoint) == []


def test_ctrl_c_while_building_stops_the_build(
    user: User, engine_endpoint: Endpoint, wait_for: WaitFor
) -> None:
    user.write("codeship-services.yml", "app: {build: {image: longshore-test/slow, context: .}}\n")
    user.write("Dockerfile", "FROM longshore-test/busybox\nRUN echo building; sleep 60\n")
    user.write("codeship-steps.yml", "- {service: app, command: echo never}\n")
    process = user.start("steps", "--no-cache")
    wait_for(process, "building")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - began < 8
    assert "Traceback" not in told
    assert user.left_on(engine_endpoint) == []


def test_ctrl_c_while_a_health_check_is_waited_for_removes_the_dependency(
    user: User, engine_endpoint: Endpoint, wait_for: WaitFor
) -> None:
    user.write("codeship-services.yml", SICK)
    user.write("Dockerfile", NEVER_HEALTHY)
    user.write("codeship-steps.yml", "- {service: app, command: echo never}\n")
    process = user.start("steps")
    wait_for(process, "to become healthy")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130, told
    assert user.left_on(engine_endpoint) == []


def test_a_dependency_that_never_becomes_healthy_ends_at_the_limit_with_its_words(
    user: User, engine_endpoint: Endpoint
) -> None:
    user.write("codeship-services.yml", SICK)
    user.write("Dockerfile", NEVER_HEALTHY)
    user.write("codeship-steps.yml", "- {name: s, service: app, command: echo never}\n")
    done = user.run("steps", "--health-timeout", "3s")
    assert done.returncode == 1
    assert '(step: s) service "db" did not become healthy within 3s' in done.stdout
    assert "db is up" in done.stdout
    assert user.left_on(engine_endpoint) == []


def test_sigterm_stops_like_ctrl_c(
    user: User, engine_endpoint: Endpoint, wait_for: WaitFor
) -> None:
    user.write("codeship-services.yml", APP)
    user.write("codeship-steps.yml", f"- {{service: app, command: {UP}}}\n")
    process = user.start("steps")
    wait_for(process, ") up")
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert user.left_on(engine_endpoint) == []


def test_what_a_dependency_says_after_the_step_failed_is_shown(user: User) -> None:
    user.write(
        "codeship-services.yml",
        "app: {image: longshore-test/busybox, depends_on: [db]}\n"
        "db: {image: longshore-test/busybox, command: \"sh -c 'nc -l -p 80; "
        "echo the table is missing; sleep 100'\"}\n",
    )
    user.write(
        "codeship-steps.yml",
        "- {name: s, service: app, command: sh -c 'sleep 1; echo x | nc db 80; exit 1'}\n",
    )
    done = user.run("steps", "--stop-grace", "1s")
    assert "(service: db) (step: s) the table is missing\n" in done.stdout, done
    assert done.returncode == 1


def test_ctrl_c_tells_what_passed_apart_from_what_was_stopped_and_not_reached(
    user: User, wait_for: WaitFor
) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        "- {name: first, service: app, command: echo quick}\n"
        f"- {{name: slow, service: app, command: {UP}}}\n"
        "- {name: later, service: app, command: echo never}\n",
    )
    process = user.start("steps")
    wait_for(process, ") up")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert told.endswith("Error: interrupted\nstopped: slow\nnot run: later\n")


def test_on_fail_is_not_run_after_ctrl_c(user: User, wait_for: WaitFor) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        f"- {{service: app, command: {UP}, on_fail: [{{command: echo handled}}]}}\n",
    )
    process = user.start("steps")
    wait_for(process, ") up")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert "handled" not in said


def test_every_line_of_the_json_log_is_an_object_with_time_and_event(user: User) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        "- {name: s, service: app, command: \"printf 'a\\\\377\\\\nb\\\\n'\"}\n"
        "- {name: f, service: app, command: sh -c 'exit 3'}\n",
    )
    done = user.run("steps", "--log-format", "json")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert all({"time", "event"} <= record.keys() for record in records)
    ended = [r for r in records if r["event"] == "step_finished"]
    assert [(r["name"], r["outcome"], r.get("exit_code")) for r in ended] == [
        ("s", "passed", None),
        ("f", "failed", 3),
    ]
    assert records[-1]["event"] == "run_finished"


def test_the_old_log_format_has_its_lines(user: User) -> None:
    user.write("codeship-services.yml", APP)
    user.write("codeship-steps.yml", "- {name: s, service: app, command: echo hello}\n")
    assert user.run("steps", "--log-format", "v1").stdout == (
        '{StepStarted=step_name:"s"}\n'
        '{ContainerRunStdout=step_name:"s" service_name:"app"}: hello\n'
        '{StepFinished=step_name:"s" type:STEP_FINISHED_TYPE_SUCCESS}\n'
    )


def test_timestamps_stand_before_every_line(user: User) -> None:
    user.write("codeship-services.yml", APP)
    user.write("codeship-steps.yml", "- {name: s, service: app, command: sh -c 'echo a; echo b'}\n")
    lines = user.run("steps", "--timestamps").stdout.splitlines()
    assert len(lines) == 4
    for line in lines:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d \(", line), line


def test_load_builds_one_service_or_all_and_runs_nothing(user: User) -> None:
    user.write(
        "codeship-services.yml",
        "app: {build: {image: longshore-test/loaded, context: .}}\n"
        "box: {image: longshore-test/busybox}\n"
        "bad: {image: nowhere.invalid/x}\n",
    )
    user.write("Dockerfile", "FROM longshore-test/busybox\nCMD false\n")
    one = user.run("load", "app")
    assert one.returncode == 0, one
    assert re.match(r"\(step: app-[0-9a-f]{8}\)\n\(image: longshore-test/loaded\) ", one.stdout)
    assert re.search(r"\(step: app-[0-9a-f]{8}\) success ✔\n$", one.stdout)
    everything = user.run("load")
    assert everything.returncode == 1
    assert everything.stdout.count("success ✔") == 2
    assert "nowhere.invalid/x" in everything.stdout
    unknown = user.run("load", "ap")
    assert (unknown.returncode, 'did you mean "app"?' in unknown.stderr) == (2, True)


@pytest.mark.parametrize("form", ["text", "v1", "json"])
def test_load_says_on_standard_error_why_an_image_could_not_be_made(user: User, form: str) -> None:
    user.write("Dockerfile", "FROM scratch\nCOPY nothing /\n")
    user.write("codeship-services.yml", "bad: {build: .}\n")
    done = user.run("load", "--log-format", form)
    assert done.returncode == 1
    if form == "json":
        assert json.loads(done.stdout.splitlines()[-1])["event"] == "run_finished"
    else:
        assert 'Error: step "bad-' in done.stderr


def test_a_program_that_takes_no_terminal_gets_none_in_steps(user: User) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        "- {name: s, service: app, command: \"sh -c 'test -t 1 && echo tty || echo none'\"}\n",
    )
    for words in (["steps"], ["steps", "-T"], ["steps", "--no-tty=true"]):
        assert "(service: app) (step: s) none\n" in user.run(*words).stdout
