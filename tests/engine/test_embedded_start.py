"""Starts of the embedded engine that fail, are given up, or find another one on its way."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from longshore.engine.embedded.bridge import chosen_bridge
from longshore.engine.embedded.engine import embedded_engine
from longshore.engine.embedded.home import Home
from longshore.engine.embedded.locks import SHARED, lock, lock_file, try_lock
from longshore.engine.patience import until
from longshore.environment import Environment
from longshore.errors import EngineUnavailable

needs_root = pytest.mark.skipif(
    os.getuid() != 0, reason="without root it is rootless Docker that is started"
)


@pytest.fixture
def environment() -> Iterator[Environment]:
    """A user with a directory of programs that come before the system's."""
    with tempfile.TemporaryDirectory(prefix="longshore-tests-", dir="/var/tmp") as data:
        programs = Path(data, "programs")
        programs.mkdir()
        path = f"{programs}:{os.environ['PATH']}"
        places = {"XDG_DATA_HOME": data, "XDG_RUNTIME_DIR": f"{data}/run", "HOME": data}
        yield Environment(places | {"PATH": path})


def _program(environment: Environment, name: str, text: str) -> None:
    path = environment.home / "programs" / name
    path.write_text(text)
    path.chmod(0o755)


async def _refusal(environment: Environment) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as caught:
        async with embedded_engine(environment):
            pass
    return caught.value


def _bridge(environment: Environment) -> Path:
    name = chosen_bridge(Home.of(environment).data, "").name
    return Path("/sys/class/net", name)


def _keeper_is_gone(home: Home) -> bool:
    with lock_file(home.alive) as alive:
        return try_lock(alive, SHARED)


@pytest.mark.engine
@needs_root
class TestStart:
    async def test_the_daemon_s_reason_to_end_stands_last(self, environment: Environment) -> None:
        _program(environment, "dockerd", "#!/bin/sh\necho the reason >&2\nexit 1\n")
        refusal = await _refusal(environment)
        assert (refusal.hint or "").splitlines()[-1] == "the reason"
        assert not _bridge(environment).exists()

    async def test_the_reason_is_not_buried_in_what_goes_as_usual(
        self, environment: Environment
    ) -> None:
        usual = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do echo "time=x level=info msg=$i"; done'
        _program(environment, "dockerd", f"#!/bin/sh\necho the reason\n{usual}\nexit 1\n")
        refusal = await _refusal(environment)
        assert refusal.hint == "it said last:\nthe reason"

    async def test_a_full_disk_is_told_as_such_with_the_directory(
        self, environment: Environment
    ) -> None:
        home = Home.of(environment)
        home.data.mkdir(parents=True)
        await anyio.run_process(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(home.data)])
        try:
            home.make()
            (home.data / "large").write_bytes(bytes(60 << 10))
            refusal = await _refusal(environment)
            assert refusal.message == "the private container engine did not start: no space left"
            assert str(home.data) in (refusal.hint or "")
            with anyio.fail_after(30), lock_file(home.alive) as alive:
                await lock(alive, SHARED, 30)
        finally:
            await anyio.run_process(["umount", str(home.data)], check=False)

    async def test_a_daemon_that_cannot_be_executed_is_named(
        self, environment: Environment
    ) -> None:
        _program(environment, "dockerd", "#!/nonexistent\n")
        refusal = await _refusal(environment)
        assert "programs/dockerd cannot be started" in (refusal.hint or "")
        assert not _bridge(environment).exists()

    async def test_a_network_that_cannot_be_made_is_taken_down(
        self, environment: Environment
    ) -> None:
        _program(environment, "iptables", "#!/bin/sh\necho no table >&2\nexit 3\n")
        refusal = await _refusal(environment)
        assert refusal.hint == "no table"
        assert not _bridge(environment).exists()

    @pytest.mark.parametrize("next_runtime", ["run", "2"])
    async def test_network_namespaces_of_a_killed_daemon_are_let_go(
        self, environment: Environment, next_runtime: str
    ) -> None:
        _program(environment, "dockerd", "#!/bin/sh\nexit 1\n")
        await _refusal(environment)
        home = Home.of(environment)
        home.namespaces.mkdir(parents=True)
        stale = home.namespaces / "0123456789ab"
        stale.touch()
        mount = ["mount", "--bind", "/proc/self/ns/net", str(stale)]
        await anyio.run_process(mount)
        runtime = str(environment.home / next_runtime)
        await _refusal(Environment({**environment.values, "XDG_RUNTIME_DIR": runtime}))
        assert str(stale) not in Path("/proc/mounts").read_text()
        assert not stale.exists()

    async def test_a_file_system_mounted_for_its_images_stays_mounted(
        self, environment: Environment
    ) -> None:
        """As a volume is in a container, so that the images are there for the next one."""
        _program(environment, "dockerd", "#!/bin/sh\nexit 1\n")
        home = Home.of(environment)
        home.data.mkdir(parents=True)
        await anyio.run_process(["mount", "-t", "tmpfs", "tmpfs", str(home.data)])
        try:
            await _refusal(environment)
            with anyio.fail_after(10), lock_file(home.alive) as alive:
                await lock(alive, SHARED, 10)
            assert home.data.is_mount()
        finally:
            await anyio.run_process(["umount", str(home.data)], check=False)

    async def test_a_start_that_is_given_up_stops_the_daemon(
        self, environment: Environment
    ) -> None:
        _program(environment, "dockerd", "#!/bin/sh\nexec sleep 60\n")
        home = Home.of(environment)

        async def run() -> None:
            async with embedded_engine(environment):
                pytest.fail("it does not answer")

        async def launched() -> bool:
            return home.run.exists() and not _keeper_is_gone(home)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            assert await until(launched, seconds=20)
            tasks.cancel_scope.cancel()
        assert _keeper_is_gone(home)
        assert not _bridge(environment).exists()

    async def test_a_daemon_that_is_still_starting_is_waited_for(
        self, environment: Environment
    ) -> None:
        """Whoever started it was killed; this test is its keeper."""
        home = Home.of(environment)
        home.make()
        joined = anyio.Event()

        async def serve(stream: SocketStream) -> None:
            async with stream:
                await stream.receive()
                await stream.send(b"HTTP/1.0 200 OK\r\n\r\n")

        async def join() -> None:
            async with embedded_engine(environment):
                joined.set()
                fcntl.flock(alive, fcntl.LOCK_UN)

        with lock_file(home.alive) as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(join)
                await anyio.wait_all_tasks_blocked()
                async with await anyio.create_unix_listener(home.socket) as listener:
                    tasks.start_soon(listener.serve, serve)
                    with anyio.fail_after(10):
                        await joined.wait()
                    tasks.cancel_scope.cancel()

    @pytest.mark.parametrize("variable", ["XDG_DATA_HOME", "XDG_RUNTIME_DIR"])
    async def test_a_place_that_cannot_be_used_is_named(
        self, environment: Environment, variable: str
    ) -> None:
        file = environment.home / "file"
        file.touch()
        refusal = await _refusal(Environment({**environment.values, variable: str(file)}))
        assert f"{file}/longshore" in refusal.message
        assert variable in (refusal.hint or "")

    @pytest.mark.parametrize("name", ["x" * 80, os.fsdecode(b"\xff")])
    async def test_a_place_where_no_daemon_could_listen_is_refused(
        self, environment: Environment, name: str
    ) -> None:
        runtime = str(environment.home / name)
        refusal = await _refusal(Environment({**environment.values, "XDG_RUNTIME_DIR": runtime}))
        assert runtime in refusal.message
        assert "XDG_RUNTIME_DIR" in (refusal.hint or "")


def test_its_home_does_not_depend_on_where_the_daemon_runs() -> None:
    environment = Environment({"HOME": "home", "XDG_DATA_HOME": "data", "XDG_RUNTIME_DIR": "run"})
    home = Home.of(environment)
    assert home.data == Path.cwd() / "home/.local/share/longshore/engine"
    assert home.run.parent in (Path("/run"), home.data)
