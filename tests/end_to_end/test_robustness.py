"""What others do to a run: they kill and remove, and flood logs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import anyio
import pytest

from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import ContainerSpec

from .conftest import User

WaitFor = Callable[["Popen[str]", str], str]

PROGRAM = Path(sys.executable).parent / "longshore"
APP = "app: {image: longshore-test/busybox}\n"
SERVED = """
app: {image: longshore-test/busybox, depends_on: [db]}
db: {image: longshore-test/busybox, command: sleep 100}
"""
UP = "- {name: s, service: app, command: sh -c 'echo up; sleep 100'}\n"


async def _remove(endpoint: Endpoint, container: str) -> None:
    async with connect(endpoint) as engine:
        await engine.remove(container)


async def _make(endpoint: Endpoint, name: str) -> str:
    spec = ContainerSpec(name=name, image="longshore-test/busybox", command=("true",))
    async with connect(endpoint) as engine:
        return await engine.create(spec)


def memory_of(process: Popen[bytes] | Popen[str]) -> int:
    """The most memory it used so far, in MB; 0 when it has ended."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) // 1024 if lines else 0


# what others do to containers


def test_a_step_whose_container_somebody_removes_says_so(
    user: User, engine_endpoint: Endpoint, wait_for: WaitFor
) -> None:
    user.write("codeship-services.yml", SERVED)
    user.write("codeship-steps.yml", UP)
    process = user.start("steps", "--stop-grace", "1s")
    wait_for(process, ") up")
    [main] = [r for r in user.left_on(engine_endpoint) if r.name.startswith("/jet-app-")]
    anyio.run(_remove, engine_endpoint, main.id)
    said, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "(step: s) failed ✘" in said
    assert "Traceback" not in told
    assert 'step "s" failed: ' in told
    assert user.left_on(engine_endpoint) == []


def test_a_dependency_that_dies_is_told_of_and_the_step_goes_on(user: User) -> None:
    user.write(
        "codeship-services.yml",
        "app: {image: longshore-test/busybox, depends_on: [db]}\n"
        "db: {image: longshore-test/busybox, command: \"sh -c 'sleep 1; exit 9'\"}\n",
    )
    user.write(
        "codeship-steps.yml", "- {name: s, service: app, command: sh -c 'sleep 3; echo on'}\n"
    )
    done = user.run("steps")
    assert '(service: db) (step: s) service "db" exited with code 9\n' in done.stdout
    assert done.stdout.index("exited with code 9") < done.stdout.index(") on\n")
    assert done.returncode == 0


def test_a_dependency_that_somebody_removes_does_not_keep_the_step_from_its_end(
    user: User, engine_endpoint: Endpoint, wait_for: WaitFor
) -> None:
    user.write("codeship-services.yml", SERVED)
    user.write(
        "codeship-steps.yml",
        "- {name: s, service: app, command: sh -c 'echo up; sleep 3; echo on'}\n",
    )
    process = user.start("steps")
    wait_for(process, ") up")
    [db] = [r for r in user.left_on(engine_endpoint) if r.name.startswith("/jet-db-")]
    anyio.run(_remove, engine_endpoint, db.id)
    said, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert said.endswith("success ✔\n")
    assert user.left_on(engine_endpoint) == []


def test_leftovers_of_other_tools_with_like_names_disturb_nothing_and_are_left_alone(
    user: User, engine_endpoint: Endpoint
) -> None:
    user.write("codeship-services.yml", APP)
    user.write("codeship-steps.yml", "- {name: s, service: app, command: echo fine}\n")
    foreign = anyio.run(_make, engine_endpoint, f"jet-app-s-{os.getpid()}")
    try:
        assert user.run("steps").returncode == 0
        assert f"jet-app-s-{os.getpid()}" not in user.run("cleanup").stdout
        shown = user.run("cleanup", "--legacy", "--dry-run").stdout
        assert f'Would remove container "/jet-app-s-{os.getpid()}"\n' in shown
    finally:
        anyio.run(_remove, engine_endpoint, foreign)


# what is killed


def test_twenty_runs_killed_at_random_moments_leave_nothing_after_one_cleanup(
    user: User, engine_endpoint: Endpoint, wait_for: WaitFor
) -> None:
    dice = random.Random(20)
    user.write("codeship-services.yml", SERVED + "data: {image: longshore-test/busybox}\n")
    user.write(
        "codeship-steps.yml",
        "- type: parallel\n  steps:\n"
        + "    - {name: s, service: app, command: sh -c 'echo up; sleep 100'}\n" * 2,
    )
    living = user.start("steps", "--stop-grace", "1s")
    wait_for(living, ") up")
    wait_for(living, ") up")
    alive = {r.id for r in user.left_on(engine_endpoint)}
    assert len(alive) == 6
    for _ in range(5):
        killed = [user.start("steps") for _ in range(4)]
        for process in killed:
            time.sleep(dice.uniform(0.0, 0.8))
            process.kill()
            process.communicate()
    assert user.run("cleanup").returncode == 0
    assert {r.id for r in user.left_on(engine_endpoint)} == alive
    locks = Path(user.environment["HOME"]) / ".local/state/longshore/runs"
    assert len(list(locks.iterdir())) == 1
    assert living.poll() is None
    living.send_signal(signal.SIGINT)
    assert living.wait(timeout=30) == 130
    assert user.left_on(engine_endpoint) == []


def test_two_runs_of_one_project_do_not_disturb_each_other(
    user: User, engine_endpoint: Endpoint
) -> None:
    user.write("codeship-services.yml", SERVED)
    user.write(
        "codeship-steps.yml",
        "- {name: s, service: app, command: sh -c 'ping -c 1 db >/dev/null && sleep 1'}\n" * 2,
    )
    both = [user.start("steps", "--stop-grace", "1s") for _ in range(2)]
    for process in both:
        said, told = process.communicate(timeout=50)
        assert process.returncode == 0, said + told
    assert user.left_on(engine_endpoint) == []


# many steps


@pytest.mark.slow
def test_a_hundred_parallel_steps_all_pass_and_leave_nothing(
    user: User, engine_endpoint: Endpoint
) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        "- type: parallel\n  steps:\n"
        + "".join(f"    - {{name: n{i}, service: app, command: echo {i}}}\n" for i in range(100)),
    )
    done = user.run("steps", "--max-parallel", "20")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("success ✔") == 101
    assert user.left_on(engine_endpoint) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_groups_of_fifty_steps_take_no_more_memory_than_one_and_leave_nothing(
    user: User, engine_endpoint: Endpoint
) -> None:
    """Every fourth step has a dependency, and so a network, which it holds for a second more: 39,
    and an engine has addresses for 31 at a time (Docker's ``default-address-pools``)."""
    user.write("codeship-services.yml", SERVED + "alone: {image: longshore-test/busybox}\n")
    leaf = "    - {service: %s, command: echo x}\n"
    four = leaf % "alone" * 3 + leaf % "app"
    user.write("codeship-steps.yml", ("- type: parallel\n  steps:\n" + four * 13) * 3)
    passed, peaks = 0, [0]
    with Popen(
        [PROGRAM, "steps", "--max-parallel", "10", "--stop-grace", "1s"],
        cwd=user.directory,
        env=user.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith("success ✔\n"):
                passed += 1
                peaks.append(max(peaks[-1], memory_of(process)))
    assert (process.returncode, passed) == (0, 159)
    assert peaks[-1] < 100
    assert peaks[-1] - peaks[53] < 10
    assert user.left_on(engine_endpoint) == []


# output


def _flooded(user: User, command: str, expected: int) -> tuple[int, float]:
    """Run one step; the peak of memory in MB and seconds; all output has to arrive."""
    user.write("codeship-services.yml", APP)
    user.write("codeship-steps.yml", f"- {{name: s, service: app, command: {command}}}\n")
    began = time.monotonic()
    with Popen(
        [PROGRAM, "steps"], cwd=user.directory, env=user.environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        size, peak = 0, 0
        while block := process.stdout.read(1 << 20):
            size += len(block)
            peak = max(peak, memory_of(process))
        assert process.wait(60) == 0
    assert size >= expected
    took = time.monotonic() - began
    return peak, took


def test_a_flood_of_200_mb_is_passed_on_in_little_memory(user: User) -> None:
    line = "x" * 99
    peak, took = _flooded(user, f"sh -c 'yes {line} | head -c 200000000'", 200_000_000)
    assert peak < 150
    assert took < 50


def test_100_mb_without_a_newline_are_passed_on_in_little_memory(user: User) -> None:
    peak, _ = _flooded(
        user, "sh -c 'yes xxxxxxxxxxxxxxxxxxxxxxxx | tr -d \"\\\\n\" | head -c 100000000'", 10**8
    )
    assert peak < 150


def test_binary_output_arrives_byte_for_byte(user: User) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        r"""
        - name: s
          service: app
          command: printf '\000\001\377\376\200\nz\304\n'
        """,
    )
    done = subprocess.run(
        [PROGRAM, "steps"],
        cwd=user.directory,
        env=user.environment,
        capture_output=True,
        timeout=60,
        check=True,
    )
    prefix = b"(service: app) (step: s) "
    assert prefix + b"\x00\x01\xff\xfe\x80\n" + prefix + b"z\xc4\n" in done.stdout


def test_lines_and_half_lines_appear_within_little_more_than_a_second(user: User) -> None:
    user.write("codeship-services.yml", APP)
    user.write(
        "codeship-steps.yml",
        "- {name: s, service: app, command: sh -c 'echo whole; printf half; sleep 6; echo end'}\n",
    )
    process = user.start("steps")
    assert process.stdout is not None
    times = {}
    for line in process.stdout:
        times[line.rpartition(") ")[2].strip()] = time.monotonic()
    assert times["half"] - times["whole"] < 1.6
    assert times["end"] - times["half"] > 3
