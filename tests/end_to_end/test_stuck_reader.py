"""Ctrl-C is heard however much is written, and whether or not somebody reads it (C-6)."""

from __future__ import annotations

import array
import fcntl
import os
import pty
import signal
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen

import pytest

from longshore.engine.endpoint import Endpoint

from .conftest import User

PROGRAM = Path(sys.executable).parent / "longshore"
APP = "app: {image: longshore-test/busybox}\n"
FLOOD = "- {name: s, service: app, command: sh -c 'trap exit TERM; yes & wait'}\n"


def _waiting(descriptor: int) -> int:
    """Bytes that are there to be read."""
    count = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return count[0]


def _until_stuck(descriptor: int) -> None:
    """Until no more comes, for nobody reads."""
    end, before = time.monotonic() + 30, -1
    while time.monotonic() < end:
        now = _waiting(descriptor)
        if 0 < now == before:
            return
        before = now
        time.sleep(0.5)
    pytest.fail("the output never stood still")


@contextmanager
def flooding(user: User, stdout: int, stderr: int | None = None) -> Iterator[Popen[bytes]]:
    """A run whose container writes without end."""
    user.write("codeship-services.yml", APP)
    user.write("codeship-steps.yml", FLOOD)
    with Popen(
        [PROGRAM, "steps", "--stop-grace", "1s"],
        cwd=user.directory,
        env=user.environment,
        stdout=stdout,
        stderr=stderr,
    ) as process:
        yield process


@pytest.mark.parametrize("stderr", [PIPE, STDOUT])
def test_ctrl_c_stops_and_cleans_up_though_nobody_reads(
    user: User, engine_endpoint: Endpoint, stderr: int
) -> None:
    with flooding(user, PIPE, stderr) as process:
        assert process.stdout is not None
        _until_stuck(process.stdout.fileno())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=40) == 130
    assert user.left_on(engine_endpoint) == []


def test_the_output_of_a_stopped_run_is_complete_where_it_is_read(
    user: User, engine_endpoint: Endpoint
) -> None:
    with flooding(user, PIPE) as process:
        assert process.stdout is not None
        _until_stuck(process.stdout.fileno())
        last = b""
        process.stdout.read(1 << 20)
        process.send_signal(signal.SIGINT)
        while block := process.stdout.read(1 << 16):
            last = (last + block)[-1000:]
        assert process.wait(timeout=40) == 130
    assert last.endswith(b"(service: app) (step: s) y\n(step: s) stopped\n")
    assert user.left_on(engine_endpoint) == []


def test_ctrl_c_is_heard_while_a_container_writes_faster_than_we_read(
    user: User, engine_endpoint: Endpoint
) -> None:
    with flooding(user, DEVNULL) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    assert user.left_on(engine_endpoint) == []


def test_a_terminal_is_left_as_blocking_as_it_was(user: User) -> None:
    """It is the shell's as well, and so is its way to block."""
    master, slave = pty.openpty()
    os.set_blocking(slave, True)
    user.write("codeship-services.yml", APP)
    user.write("codeship-steps.yml", "- {name: s, service: app, command: echo hello}\n")
    with Popen(
        [PROGRAM, "steps"], cwd=user.directory, env=user.environment, stdout=slave, stderr=slave
    ) as process:
        assert process.wait(timeout=60) == 0
    assert os.get_blocking(slave)
    os.close(slave)
    assert b"(step: s) hello\r\n" in os.read(master, 1 << 16)
    os.close(master)
