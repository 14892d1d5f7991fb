"""`longshore run` with a terminal of its own: raw mode, size, keys, exit code (C-11 to C-15)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
import trustme

from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import Resource
from longshore.run.scope import PROJECT_LABEL

from .conftest import User

PROGRAM = Path(sys.executable).parent / "longshore"
APP = "app: {image: longshore-test/busybox, working_dir: /tmp}\n"


@dataclass
class Screen:
    """Our end of a pseudo-terminal on which the program runs."""

    descriptor: int
    process: subprocess.Popen[bytes]
    seen: bytes = b""

    def wait_for(self, text: str, seconds: float = 20) -> None:
        """Read until `text` has appeared."""
        limit = time.monotonic() + seconds
        while text.encode() not in self.seen:
            assert time.monotonic() < limit, self.seen
            self._read(0.2)

    def watch(self, seconds: float) -> None:
        """Read for so long, as a terminal does all the time."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self._read(0.01)

    def _read(self, seconds: float) -> None:
        if select.select([self.descriptor], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.descriptor, 4096)
            except OSError:  # EIO: the last process on the terminal has gone
                time.sleep(seconds)

    def type(self, keys: bytes) -> None:
        """Keys of the user."""
        os.write(self.descriptor, keys)

    def resize(self, rows: int, columns: int) -> None:
        """The window changes; the kernel tells the program with SIGWINCH."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, size)
        self.process.send_signal(signal.SIGWINCH)

    def end(self, seconds: float = 20) -> int:
        """The exit code."""
        limit = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < limit, self.seen
            self._read(0.1)
        self._read(0.1)
        return int(self.process.returncode)


def opened(user: User, *words: str, out: int | None = None) -> Screen:
    """`longshore` on a new terminal of 24 rows and 80 columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [PROGRAM, *words],
        cwd=user.directory,
        env=user.environment,
        stdin=its,
        stdout=its if out is None else out,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    return Screen(ours, process)


@pytest.fixture
def project(user: User) -> User:
    """The user, with one service."""
    user.write("codeship-services.yml", APP)
    return user


def test_a_shell_is_typed_into_and_its_exit_code_is_ours(project: User) -> None:
    screen = opened(project, "run", "app", "sh")
    screen.wait_for("/tmp #")
    screen.type(b"tty; stty size\r")
    screen.wait_for("/dev/pts/0")
    screen.wait_for("24 80")
    screen.type(b"exit 7\r")
    assert screen.end() == 7


def test_the_window_s_size_follows(project: User) -> None:
    screen = opened(project, "run", "app", "sh")
    screen.wait_for("/tmp #")
    screen.resize(50, 132)
    time.sleep(0.5)
    screen.type(b"stty size\r")
    screen.wait_for("50 132")
    screen.type(b"exit\r")
    assert screen.end() == 0


def test_ctrl_c_is_a_key_for_the_program_inside_not_for_us(project: User) -> None:
    screen = opened(project, "run", "app", "sh")
    screen.wait_for("/tmp #")
    screen.type(b"sleep 100\r")
    screen.wait_for("100\r\n")  # the shell may write its line twice before
    time.sleep(0.5)
    screen.type(b"\x03")
    screen.type(b"echo still $((1 + 1))\r")
    screen.wait_for("still 2")
    screen.type(b"exit 3\r")
    assert screen.end() == 3


@pytest.mark.parametrize("program", ["sleep 100", "yes"])
def test_ctrl_c_three_times_ends_a_run_whose_program_ignores_it(
    project: User, engine_endpoint: Endpoint, program: str
) -> None:
    """C-6: as a first process without a handler does, from which the kernel keeps SIGINT."""
    screen = opened(project, "run", "app", "sh", "-c", f"trap '' INT; echo up; exec {program}")
    screen.wait_for("up\r\n")
    for _ in range(2):
        screen.type(b"\x03")
        screen.watch(0.3)
        assert screen.process.poll() is None
    screen.type(b"\x03")
    screen.wait_for("stopping what still runs (once more to leave at once)\r\n")
    assert screen.end() == 130
    assert anyio.run(_of_project, engine_endpoint, project) == ()


def test_the_terminal_is_as_before_when_the_run_ends(project: User) -> None:
    ours, its = pty.openpty()
    before = termios.tcgetattr(its)
    process = subprocess.Popen(
        [PROGRAM, "run", "app", "sh", "-c", "exit 0"],
        cwd=project.directory,
        env=project.environment,
        stdin=its,
        stdout=its,
        stderr=its,
    )
    assert process.wait(timeout=30) == 0
    assert termios.tcgetattr(its) == before
    os.close(its)
    os.close(ours)


def test_no_terminal_is_given_with_T_or_into_a_pipe(project: User) -> None:  # noqa: N802  # the flag
    screen = opened(project, "run", "-T", "app", "sh", "-c", "test -t 1 || echo plain")
    screen.wait_for("plain")
    assert screen.end() == 0
    read, write = os.pipe()
    piped = opened(project, "run", "app", "sh", "-c", "test -t 1 || echo plain", out=write)
    os.close(write)
    assert piped.end() == 0
    assert os.read(read, 100) == b"plain\n"
    os.close(read)


def test_input_from_a_pipe_reaches_the_program_and_ends(project: User) -> None:
    done = subprocess.run(
        [PROGRAM, "run", "app", "sh", "-c", "wc -c; exit 2"],
        cwd=project.directory,
        env=project.environment,
        input=b"x" * 1_000_000,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (2, b"1000000")


def _relay(source: socket.socket, target: socket.socket) -> None:
    """Copy to the end, and pass the end on: of TLS it is `close_notify`, of a socket its half."""
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _serve_tls(server: socket.socket, context: ssl.SSLContext, engine: str) -> None:
    def serve(accepted: socket.socket) -> None:
        with (
            socket.socket(socket.AF_UNIX) as inner,
            contextlib.suppress(OSError),
            context.wrap_socket(accepted, server_side=True) as outer,
        ):
            inner.connect(engine)
            inward = threading.Thread(target=_relay, args=(outer, inner))
            inward.start()
            _relay(inner, outer)
            inward.join()

    while True:
        try:
            accepted, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(accepted,)).start()


DEPENDENCY = (
    "app: {image: longshore-test/busybox, depends_on: [db]}\n"
    "db: {image: longshore-test/busybox, "
    "command: sh -c 'sleep 1; echo one; echo two; sleep 100'}\n"
)


def test_lines_of_dependencies_begin_at_the_left_of_a_raw_terminal(project: User) -> None:
    project.write("codeship-services.yml", DEPENDENCY)
    screen = opened(project, "run", "app", "--stop-grace", "1s", "cat")
    screen.wait_for("two\r\n")
    screen.type(b"\x04")
    assert screen.end() == 0
    assert b"one\r\n" in screen.seen
    assert not re.search(rb"(?<!\r)\n", screen.seen), screen.seen


def test_a_terminal_that_is_closed_ends_the_run_and_leaves_nothing(
    project: User, engine_endpoint: Endpoint
) -> None:
    project.write("codeship-services.yml", DEPENDENCY)
    screen = opened(project, "run", "--stop-grace", "1s", "app", "sh", "-c", "echo up; sleep 100")
    screen.wait_for("up\r\n")
    assert anyio.run(_of_project, engine_endpoint, project) != ()
    os.close(screen.descriptor)
    screen.process.send_signal(signal.SIGHUP)
    screen.process.wait(timeout=20)
    assert anyio.run(_of_project, engine_endpoint, project) == ()


async def _of_project(endpoint: Endpoint, user: User) -> tuple[Resource, ...]:
    async with connect(endpoint) as engine:
        return await engine.resources({PROJECT_LABEL: str(user.directory)})


@pytest.fixture
def over_tls(project: User, tmp_path: Path) -> Iterator[User]:
    """The user, whose engine is reached over TLS with a client's certificate."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    files = tmp_path / "tls"
    files.mkdir()
    mine = authority.issue_cert("user@example.com")
    authority.cert_pem.write_to_path(files / "ca.pem")
    mine.cert_chain_pems[0].write_to_path(files / "cert.pem")
    mine.private_key_pem.write_to_path(files / "key.pem")
    engine = project.environment["DOCKER_HOST"].removeprefix("unix://")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve_tls, args=(server, context, engine), daemon=True).start()
        before = dict(project.environment)
        project.environment |= {
            "DOCKER_HOST": f"tcp://127.0.0.1:{server.getsockname()[1]}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(files),
        }
        yield project
        project.environment = before
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("content", [b"", b"x" * 300_000])
def test_input_over_tls_reaches_the_program_and_ends(over_tls: User, content: bytes) -> None:
    done = subprocess.run(
        [PROGRAM, "run", "app", "sh", "-c", "wc -c; exit 2"],
        cwd=over_tls.directory,
        env=over_tls.environment,
        input=content,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (2, b"%d" % len(content)), done.stderr


def test_a_program_that_leaves_its_input_unread_ends_with_its_own_code(project: User) -> None:
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as endless:
        done = subprocess.run(
            [PROGRAM, "run", "app", "sh", "-c", "head -n 1; exit 5"],
            cwd=project.directory,
            env=project.environment,
            stdin=endless.stdout,
            capture_output=True,
            timeout=60,
            check=False,
        )
        endless.kill()
    assert (done.returncode, done.stdout) == (5, b"y\n"), done.stderr


def test_a_run_without_a_command_starts_the_service_s_own_and_its_dependencies(
    project: User,
) -> None:
    project.write(
        "codeship-services.yml",
        "app: {image: longshore-test/busybox, command: ping -c 1 db, depends_on: [db]}\n"
        "db: {image: longshore-test/busybox, command: sleep 100}\n",
    )
    done = project.run("run", "app", "--stop-grace", "1s")
    assert done.returncode == 0, done
    assert "1 packets received" in done.stdout


def test_entrypoint_and_environment_of_the_command_line(project: User) -> None:
    done = project.run("run", "-e", "WHO=me", "--entrypoint", "sh -c", "app", "echo hello $WHO")
    assert (done.returncode, done.stdout) == (0, "hello me\n")
