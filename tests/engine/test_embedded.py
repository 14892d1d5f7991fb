"""The embedded engine, with real daemons; and what it decides before it starts one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.engine.embedded.bridge import chosen_bridge
from longshore.engine.embedded.daemon import answers
from longshore.engine.embedded.engine import embedded_engine
from longshore.engine.embedded.home import Home
from longshore.engine.embedded.installation import engine_advice, system_of, this_system
from longshore.engine.embedded.locks import EXCLUSIVE, lock, lock_file
from longshore.engine.embedded.programs import find_programs
from longshore.engine.patience import Clock, until
from longshore.environment import Environment
from longshore.errors import EngineUnavailable
from longshore.testing.disk_folder import disk_folder

_ROUTES_HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"

needs_root = pytest.mark.skipif(
    os.getuid() != 0, reason="a daemon without root needs rootless Docker, which is tested by hand"
)


def _route(device: str, network: IPv4Network) -> str:
    def word(text: str) -> str:
        return bytes(map(int, text.split(".")))[::-1].hex().upper()

    address, mask = word(str(network.network_address)), word(str(network.netmask))
    return f"{device}\t{address}\t00000000\t0001\t0\t0\t0\t{mask}\t0\t0\t0\n"


@given(st.integers(0, 54))
def test_a_free_address_range_is_chosen(free: int) -> None:
    taken = [IPv4Network(f"10.{200 + n}.7.0/24") for n in range(55) if n != free]
    routes = _ROUTES_HEAD + "".join(_route("eth0", network) for network in taken)
    bridge = chosen_bridge(Path("/data"), routes)
    assert bridge.network == IPv4Network(f"10.{200 + free}.0.0/16")
    assert len(bridge.name) <= 15


def test_a_bridge_that_exists_keeps_its_range() -> None:
    name = chosen_bridge(Path("/data"), _ROUTES_HEAD).name
    routes = _ROUTES_HEAD + _route(name, IPv4Network("10.217.0.0/17"))
    assert chosen_bridge(Path("/data"), routes).network == IPv4Network("10.217.0.0/16")


def test_no_free_range_is_our_error() -> None:
    routes = _ROUTES_HEAD + _route("tun0", IPv4Network("10.0.0.0/8"))
    with pytest.raises(EngineUnavailable, match="no address range"):
        chosen_bridge(Path("/data"), routes)


def test_two_users_have_different_bridges() -> None:
    names = {chosen_bridge(Path(f"/home/{n}"), _ROUTES_HEAD).name for n in range(100)}
    assert len(names) == 100


@pytest.mark.parametrize(
    ("os_release", "command"),
    [
        ("ID=debian\nVERSION_ID=12\n", "apt-get install docker.io"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "apt-get install docker.io"),
        ("ID=fedora\n", "dnf install moby-engine"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "dnf install podman"),
        ("ID=alpine\n", "apk add docker"),
        ("ID=manjaro\nID_LIKE=arch\n", "pacman -S docker"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "zypper install docker"),
        ("ID=unheard\n", "install Docker or Podman"),
        ("", "install Docker or Podman"),
        ("garbage\n=\n", "install Docker or Podman"),
    ],
)
def test_the_advice_fits_the_system(os_release: str, command: str) -> None:
    assert command in engine_advice(system_of(os_release))


def test_a_mac_is_told_of_colima() -> None:
    assert "brew install colima" in engine_advice(this_system("darwin"))


async def test_waiting_ends_at_its_limit_without_real_time() -> None:
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    async def never() -> bool:
        return False

    assert not await until(never, seconds=60, clock=Clock(now=lambda: now[0], sleep=sleep))
    assert 60 <= now[0] < 61


def test_a_runtime_directory_of_our_own_is_used(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    for mode in (None, 0o700, 0o755):
        if mode is not None:
            (tmp_path / "run").mkdir(exist_ok=True)
            (tmp_path / "run").chmod(mode)
        assert Home.of(Environment(environment)).run.parent == tmp_path / "run"


@pytest.mark.parametrize("mode", [0o1777, 0o770])
def test_a_runtime_directory_that_others_may_write_to_is_not_used(
    tmp_path: Path, mode: int
) -> None:
    """They could put links to files of ours in the place of what we write there."""
    shared = tmp_path / "run"
    shared.mkdir()
    shared.chmod(mode)
    environment = Environment({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(shared)})
    assert not Home.of(environment).run.is_relative_to(shared)


@needs_root
def test_a_runtime_directory_of_another_user_is_not_used(tmp_path: Path) -> None:
    theirs = tmp_path / "run"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, 1, 1)
    environment = Environment({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(theirs)})
    assert Home.of(environment).run.parent == Path("/run")


def test_a_runtime_directory_that_cannot_be_looked_at_is_not_used(locked: Path) -> None:
    environment = Environment({"HOME": "/nowhere", "XDG_RUNTIME_DIR": f"{locked}/run"})
    assert not Home.of(environment).run.is_relative_to(locked)


def test_a_home_is_refused_before_the_paths_of_its_sockets_are_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    room = 107 - len("/exec/containerd/containerd.sock.ttrpc")
    Home(data=Path("data"), run=Path("r" * room)).make()
    with pytest.raises(EngineUnavailable, match="too long for its sockets"):
        Home(data=Path("data"), run=Path("r" * (room + 1))).make()


@pytest.mark.parametrize(("data", "run"), [("data\udcff", "run"), ("data", "run\udcff")])
def test_a_home_that_no_daemon_can_be_told_of_is_refused(data: str, run: str) -> None:
    with pytest.raises(EngineUnavailable, match="not in UTF-8"):
        Home(data=Path(data), run=Path(run)).make()


def test_without_a_daemon_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    environment = Environment({"HOME": str(tmp_path), "PATH": str(tmp_path)})
    with pytest.raises(EngineUnavailable, match="none is installed: ") as caught:
        find_programs(environment, system_path=())
    assert caught.value.message.count("\n") == 0


@needs_root
def test_without_the_network_tools_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "dockerd").touch(mode=0o755)
    environment = Environment({"HOME": str(tmp_path), "PATH": str(tmp_path)})
    with pytest.raises(EngineUnavailable, match="`ip`"):
        find_programs(environment, system_path=())


@pytest.fixture
def environment() -> Iterator[Environment]:
    """A user whose images do not lie on a tmpfs."""
    with disk_folder() as data:
        places = {"XDG_DATA_HOME": str(data), "XDG_RUNTIME_DIR": str(data / "run")}
        home = {"HOME": str(data), "PATH": os.environ["PATH"]}
        yield Environment(places | home)


async def _is_over(environment: Environment) -> bool:
    """Whether the daemon and its keeper end soon."""
    home = Home.of(environment)
    with lock_file(home.alive) as alive:
        await lock(alive, EXCLUSIVE, 20)
    return not await answers(home.socket) and not _bridge(environment).exists()


def _bridge(environment: Environment) -> Path:
    name = chosen_bridge(Home.of(environment).data, _ROUTES_HEAD).name
    return Path("/sys/class/net", name)


async def _daemon(environment: Environment) -> int:
    return int((Home.of(environment).run / "dockerd.pid").read_text())


@needs_root
@pytest.mark.engine
class TestRealDaemon:
    """Each test starts and stops a daemon, which takes about two seconds."""

    async def test_it_answers_and_is_gone_afterwards(self, environment: Environment) -> None:
        async with embedded_engine(environment) as endpoint:
            assert await answers(Path(endpoint.url.removeprefix("unix://")))
            assert _bridge(environment).exists()
        assert not await answers(Home.of(environment).socket)
        assert not _bridge(environment).exists()
        assert str(Home.of(environment).data) not in Path("/proc/mounts").read_text()

    async def test_concurrent_runs_share_one_daemon_until_the_last_leaves(
        self, environment: Environment
    ) -> None:
        pids: list[int] = []
        all_in, first_out = anyio.Event(), anyio.Event()

        async def run(number: int) -> None:
            async with embedded_engine(environment) as endpoint:
                pids.append(await _daemon(environment))
                if len(pids) == 3:
                    all_in.set()
                await all_in.wait()
                if number:
                    await first_out.wait()
                assert await answers(Path(endpoint.url.removeprefix("unix://")))
            if not number:
                first_out.set()

        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(run, number)
        assert len(set(pids)) == 1
        assert await _is_over(environment)

    async def test_a_run_with_another_runtime_directory_shares_the_daemon(
        self, environment: Environment
    ) -> None:
        """As those of cron, of sudo and of a login have."""
        elsewhere = str(environment.home / "2")
        other = Environment({**environment.values, "XDG_RUNTIME_DIR": elsewhere})
        async with embedded_engine(environment) as first:
            async with embedded_engine(other) as second:
                assert second.url == first.url
            assert await answers(Home.of(environment).socket)
        async with embedded_engine(other) as alone:
            assert alone.url == f"unix://{Home.of(other).socket}"

    async def test_a_killed_run_leaves_no_daemon(self, environment: Environment) -> None:
        with _separate_run(environment) as run:
            assert await answers(Home.of(environment).socket)
            run.send_signal(signal.SIGKILL)
        assert await _is_over(environment)

    async def test_a_killed_keeper_takes_its_daemon_along_and_the_next_run_starts_anew(
        self, environment: Environment
    ) -> None:
        home = Home.of(environment)
        async with embedded_engine(environment):
            daemon = await _daemon(environment)
            os.kill(_parent(daemon), signal.SIGKILL)

            async def dead() -> bool:
                return not Path(f"/proc/{daemon}").exists()

            assert await until(dead, seconds=20)
        async with embedded_engine(environment):
            assert await answers(home.socket)

    async def test_a_stale_pid_file_and_socket_do_no_harm(self, environment: Environment) -> None:
        home = Home.of(environment)
        home.make()
        (home.run / "dockerd.pid").write_text(str(os.getpid()))
        home.socket.touch()
        async with embedded_engine(environment):
            assert await answers(home.socket)

    async def test_a_daemon_that_cannot_start_is_quoted(self, environment: Environment) -> None:
        home = Home.of(environment)
        home.make()
        (home.data / "overlay2").write_text("in the way")
        (home.data / "containers").write_text("in the way")
        with pytest.raises(EngineUnavailable, match="did not start") as caught:
            async with embedded_engine(environment):
                pass
        assert "containers" in (caught.value.hint or "")
        assert await _is_over(environment)

    async def test_another_daemon_keeps_its_network_rules(
        self, environment: Environment, docker_command: tuple[str, ...]
    ) -> None:
        """Those of the tests' engine: what else there is may change meanwhile."""
        theirs = _bridge_of(docker_command)
        before = _rules(theirs)
        assert before
        async with embedded_engine(environment):
            assert _rules(theirs) == before
            assert len(_rules(_bridge(environment).name)) == 3
        assert _rules(theirs) == before
        assert not _rules(_bridge(environment).name)


def _bridge_of(docker: tuple[str, ...]) -> str:
    name = '{{index .Options "com.docker.network.bridge.name"}}'
    words = [*docker, "network", "inspect", "bridge", "--format", name]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def _rules(bridge: str) -> set[str]:
    """The rules of all chains that name a bridge."""
    tables = ("nat", "filter")
    answers = [
        subprocess.run(
            ["iptables", "--wait", "-t", table, "-S"], capture_output=True, text=True, check=True
        ).stdout
        for table in tables
    ]
    return {line for line in "".join(answers).splitlines() if bridge in line}


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


_RUN = """
import anyio, sys
from longshore.engine.embedded.engine import embedded_engine
from longshore.environment import Environment

async def main():
    async with embedded_engine(Environment.of_process()):
        print("ready", flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


@contextmanager
def _separate_run(environment: Environment) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the engine."""
    with subprocess.Popen(
        [sys.executable, "-c", _RUN],
        env=dict(environment.values),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()
