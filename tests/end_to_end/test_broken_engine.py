"""Runs on an engine of the test's own that is killed, or whose disk is full."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import anyio
import anyio.from_thread
import pytest

from longshore.engine.docker.engine import connect
from longshore.engine.embedded.engine import embedded_engine
from longshore.engine.embedded.home import Home
from longshore.engine.embedded.locks import SHARED, lock, lock_file
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import Resource
from longshore.environment import Environment
from longshore.errors import EngineUnavailable
from longshore.run.scope import OWNER, OWNER_LABEL

from .conftest import UP, User

WaitFor = Callable[["Popen[str]", str], str]


async def _labelled(endpoint: Endpoint) -> tuple[Resource, ...]:
    async with connect(endpoint) as engine:
        return await engine.resources({OWNER_LABEL: OWNER})


@dataclass
class PrivateEngine:
    """An engine that a test may break; its data lie in `data`."""

    data: Path
    portal: anyio.from_thread.BlockingPortal
    stack: ExitStack
    endpoint: Endpoint = field(init=False)

    @property
    def home(self) -> Home:
        return Home.of(self._environment)

    @property
    def _environment(self) -> Environment:
        return Environment(
            {"PATH": os.environ["PATH"], "HOME": "/root", "XDG_DATA_HOME": str(self.data)}
        )

    def start(self) -> None:
        """Start it, or start it again."""
        engine = self.portal.wrap_async_context_manager(embedded_engine(self._environment))
        try:
            self.endpoint = self.stack.enter_context(engine)
        except EngineUnavailable as error:
            pytest.fail(f"{error.message}\n{error.hint}")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """A signal to the daemon; returns when it is gone."""
        pid = int((self.home.run / "dockerd.pid").read_text())
        os.kill(pid, how)
        # Gone while it is looked at, or a zombie, is gone.
        with suppress(FileNotFoundError, ProcessLookupError):
            while "Z" not in Path(f"/proc/{pid}/stat").read_text():
                time.sleep(0.05)

    @contextmanager
    def halted(self) -> Iterator[None]:
        """The daemon stands still while the block runs."""
        pid = int((self.home.run / "dockerd.pid").read_text())
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateEngine]:
    """A private engine without images, on an ext4 file system of 120 MB of its own."""
    directory = tmp_path_factory.mktemp("private")
    disk, data = directory / "disk", directory / "data"
    data.mkdir()
    with disk.open("wb") as file:
        file.truncate(120 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(disk)], check=True)
    subprocess.run(["mount", "-o", "loop", str(disk), str(data)], check=True)
    try:
        with ExitStack() as stack:
            portal = stack.enter_context(anyio.from_thread.start_blocking_portal())
            engine = PrivateEngine(data, portal, stack)
            engine.start()
            yield engine
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def alone(user: User, private: PrivateEngine, static_busybox: Path) -> User:
    """The user, moved to the private engine, with `box` as the service's image to build."""
    user.environment["DOCKER_HOST"] = private.endpoint.url
    shutil.copy(static_busybox, user.directory / "busybox")
    user.write(
        "Dockerfile",
        """
        FROM scratch
        COPY busybox /bin/busybox
        RUN ["/bin/busybox", "--install", "/bin"]
        ENV PATH=/bin
        """,
    )
    user.write(".dockerignore", "*\n!busybox\n")
    user.write(
        "codeship-services.yml",
        "app: {build: {image: longshore-test/box, context: .}, depends_on: [db]}\n"
        "db: {build: {image: longshore-test/box, context: .}, volumes: [/data],"
        " command: sh -c 'trap exit TERM; sleep 100 & wait'}\n",
    )
    return user


def _bridge_of_the_machine() -> str | None:
    """The number of the bridge that belongs to the machine's own engine, if it has one."""
    number = Path("/sys/class/net/docker0/ifindex")
    return number.read_text() if number.exists() else None


def _amid_a_step(alone: User, wait_for: WaitFor) -> subprocess.Popen[str]:
    """A run whose step is up, and goes on."""
    alone.write("codeship-steps.yml", f"- {{name: s, service: app, command: {UP}}}\n")
    process = alone.start("steps")
    wait_for(process, ") up")
    return process


@pytest.mark.slow
def test_an_engine_that_dies_ends_the_run_and_after_its_return_cleanup_removes_all(
    alone: User, private: PrivateEngine, wait_for: WaitFor
) -> None:
    # An engine that finds containers of its past life waits ten seconds for those that live on.
    process = _amid_a_step(alone, wait_for)
    bridge = _bridge_of_the_machine()
    private.kill()
    began = time.monotonic()
    said, told = process.communicate(timeout=30)
    assert time.monotonic() - began < 15
    assert process.returncode == 125, said + told
    assert "Traceback" not in told
    assert "Error: " in told
    assert "longshore cleanup" in told
    private.start()
    assert alone.run("cleanup").returncode == 0
    found = anyio.run(_labelled, private.endpoint)
    assert found == ()
    assert _bridge_of_the_machine() == bridge
    assert alone.run("steps", "--step-timeout", "2s", "--stop-grace", "1s").returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_a_run_whose_engine_stands_still(
    alone: User, private: PrivateEngine, wait_for: WaitFor, times: int
) -> None:
    process = _amid_a_step(alone, wait_for)
    with private.halted():
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        if times == 2:
            time.sleep(1)  # it says nothing that could be waited for
            process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=90)
        assert time.monotonic() - began < (15, 3)[times - 1]
    assert process.returncode == 130
    assert "`longshore cleanup`" in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_an_engine_that_dies_amid_a_step_leaves_nothing_mounted(
    alone: User, private: PrivateEngine, wait_for: WaitFor
) -> None:
    """What stayed would be kept busy by the lock files of every engine that follows."""
    process = _amid_a_step(alone, wait_for)
    private.kill()
    process.communicate(timeout=30)
    with lock_file(private.home.alive) as alive:
        anyio.run(lock, alive, SHARED, 30.0)  # held until the dead engine is tidied up after
    assert str(private.home.data) not in Path("/proc/mounts").read_text()


@pytest.mark.slow
def test_a_step_does_not_pass_because_the_engine_s_end_stopped_it(
    alone: User, private: PrivateEngine, wait_for: WaitFor
) -> None:
    service = "app: {build: {image: longshore-test/box, context: .}}\n"
    alone.write("codeship-services.yml", service)
    alone.write(
        "codeship-steps.yml",
        """
        - name: s
          service: app
          command: sh -c 'trap "exit 0" TERM; echo up; while :; do sleep 0.2; done'
        """,
    )
    process = alone.start("steps")
    wait_for(process, ") up")
    private.kill(signal.SIGTERM)
    said, told = process.communicate(timeout=30)
    assert process.returncode in {1, 125}, said + told
    assert "(step: s) failed" in said
    assert "(step: s) success" not in said


@pytest.mark.slow
def test_an_engine_that_dies_while_images_are_loaded_ends_that_with_125(
    alone: User, private: PrivateEngine, wait_for: WaitFor
) -> None:
    with (alone.directory / "Dockerfile").open("a") as file:
        file.write("RUN echo up && sleep 100\n")
    process = alone.start("load", "--builder", "classic", "app", "db")
    wait_for(process, ") up")
    private.kill()
    said, told = process.communicate(timeout=30)
    assert process.returncode == 125, said + told
    assert said.count("failed ✘") == 1
    assert "Traceback" not in told


@pytest.mark.slow
def test_a_restarted_engine_ends_the_step_and_the_next_run_leaves_nothing(
    alone: User, private: PrivateEngine, wait_for: WaitFor
) -> None:
    alone.write(
        "codeship-steps.yml",
        # An engine that ends waits ten seconds for containers that do not.
        "- name: s\n  service: app\n"
        "  command: sh -c 'trap \"exit 143\" TERM; echo up; sleep 100 & wait'\n",
    )
    process = alone.start("steps", "--stop-grace", "1s")
    wait_for(process, ") up")
    private.kill(signal.SIGTERM)
    private.start()
    said, told = process.communicate(timeout=60)
    assert process.returncode in {1, 125}, said + told
    assert "(step: s) failed ✘" in said
    assert "Traceback" not in told
    alone.write("codeship-steps.yml", "- {name: s, service: app, command: echo fine}\n")
    assert alone.run("steps", "--stop-grace", "1s").returncode == 0
    assert anyio.run(_labelled, private.endpoint) == ()


@pytest.mark.slow
def test_a_full_disk_breaks_builds_and_steps_with_a_sentence(
    alone: User, private: PrivateEngine
) -> None:
    alone.write("codeship-steps.yml", "- {service: app, command: echo fits}\n")
    assert alone.run("steps", "--stop-grace", "1s").returncode == 0
    alone.write(
        "codeship-services.yml",
        "app: {build: {image: longshore-test/box, context: .}}\n"
        "big: {build: {image: longshore-test/big, context: ., dockerfile: Dockerfile.big}}\n",
    )
    alone.write(
        "Dockerfile.big",
        "FROM longshore-test/box\nRUN dd if=/dev/zero of=/big bs=1M count=200\n",
    )
    alone.write(
        "codeship-steps.yml",
        "- type: parallel\n  steps:\n"
        "    - {name: build, service: big, command: echo never}\n"
        "- {name: later, service: app, command: echo never}\n",
    )
    build = alone.run("steps")
    assert build.returncode == 1
    assert "No space left on device" in build.stdout
    assert "Traceback" not in build.stderr
    alone.write(
        "codeship-steps.yml",
        "- {name: run, service: app, command: dd if=/dev/zero of=/big bs=1M count=200}\n",
    )
    run = alone.run("steps")
    assert (run.returncode, "No space left on device" in run.stdout) == (1, True)
    assert anyio.run(_labelled, private.endpoint) == ()


@pytest.mark.slow
def test_a_context_that_does_not_fit_on_the_disk_is_told_with_the_remedy(
    alone: User,
) -> None:
    with (alone.directory / "huge").open("wb") as file:
        for _ in range(150):
            file.write(os.urandom(1 << 20))
    alone.write(".dockerignore", "")
    alone.write("codeship-steps.yml", "- {service: app, command: echo never}\n")
    done = alone.run("steps", "--builder", "classic")
    assert done.returncode == 1
    assert "docker system prune" in done.stdout
    assert "Traceback" not in done.stderr
