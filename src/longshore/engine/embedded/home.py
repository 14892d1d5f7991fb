"""Where an embedded engine lives, and the files its daemon and its keeper read there."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from longshore.engine.embedded.bridge import Bridge
from longshore.environment import Environment
from longshore.errors import EngineUnavailable

_CONTAINERD: Final = Path("/run/containerd/containerd.sock")
_SYSTEM_SETTINGS: Final = Path("/etc/docker/daemon.json")
_KEPT_SETTINGS: Final = ("registry-mirrors", "insecure-registries", "dns", "proxies")
_LONGEST_SOCKET: Final = "exec/containerd/containerd.sock.ttrpc"
_SOCKET_PATH_LIMIT: Final = 107
"""``sun_path`` without its NUL (unix(7))."""


class Home(Struct, frozen=True, kw_only=True):
    """Where one user's embedded engine lives; `run` is short, for a socket path has 107 bytes.

    `run` depends on XDG_RUNTIME_DIR, which cron, sudo and a login set differently; so what may
    exist once for all runs of `data` lies there.
    """

    data: Path
    run: Path

    @staticmethod
    def of(environment: Environment) -> Home:
        """The home that belongs to the user's data directory."""
        data = (environment.data_directory / "engine").absolute()
        mark = hashlib.sha256(os.fsencode(data)).hexdigest()[:10]
        runtime = environment.runtime_directory
        above = Path("/run") if os.getuid() == 0 else data
        if runtime and _is_private(runtime):
            above = runtime
        return Home(data=data, run=above / f"longshore-{mark}")

    def make(self) -> None:
        """Make the directories that are missing, for this user alone.

        Raises OSError, and EngineUnavailable when no daemon could use them.
        """
        _check_names(self)
        for directory in (self.data, self.run):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def of_daemon(self) -> Home:
        """The home as the run has it that started the latest daemon."""
        with suppress(OSError):
            return replace(self, run=self._run_of_daemon.readlink())
        return self

    def remember(self) -> None:
        """From now on the latest daemon is the one that is started here."""
        self._run_of_daemon.unlink(missing_ok=True)
        self._run_of_daemon.symlink_to(self.run)

    @property
    def _run_of_daemon(self) -> Path:
        return self.data / "run"

    @property
    def users(self) -> Path:
        """The lock every run holds shared while it uses the daemon."""
        return self.data / "users"

    @property
    def alive(self) -> Path:
        """The lock the keeper holds as long as it lives."""
        return self.data / "alive"

    @property
    def starting(self) -> Path:
        """The lock of the run that looks whether a daemon has to be started."""
        return self.data / "starting"

    @property
    def networks(self) -> Path:
        """What the daemon remembers of its networks.

        It must not find it again: a daemon that has address pools and meets its old default network
        deletes ``docker0``, also when that belongs to another daemon (moby, initNetworkController).
        """
        return self.data / "network" / "files" / "local-kv.db"

    @property
    def namespaces(self) -> Path:
        """Where the daemon mounts the network namespaces of containers, a file each."""
        return self.run / "exec" / "netns"

    @property
    def settings(self) -> Path:
        """The daemon's configuration."""
        return self.run / "daemon.json"

    @property
    def plan(self) -> Path:
        """The keeper's instructions."""
        return self.run / "plan.json"

    @property
    def socket(self) -> Path:
        """Where the daemon listens."""
        return self.run / "docker.sock"

    @property
    def log(self) -> Path:
        """What the daemon says."""
        return self.run / "dockerd.log"


def _is_private(directory: Path) -> bool:
    """Whether nobody else can put anything there, as the XDG base directory specification has it.

    ``su`` leaves root the directory of the user who called it, and in many a container it is /tmp.
    """
    try:
        status = directory.stat()
    except FileNotFoundError:
        return True  # we make it
    except OSError:
        return False
    writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return status.st_uid == os.getuid() and not writable


def _check_names(home: Home) -> None:
    if len(os.fsencode(home.run / _LONGEST_SOCKET)) > _SOCKET_PATH_LIMIT:
        raise EngineUnavailable(
            f"the path of the private engine's directory is too long for its sockets: {home.run}",
            hint="set XDG_RUNTIME_DIR to a shorter one",
        )
    try:
        f"{home.data}{home.run}".encode()
    except UnicodeEncodeError as error:
        raise EngineUnavailable(
            f"the paths of the private engine are not in UTF-8: {home.data}, {home.run}",
            hint="set XDG_DATA_HOME and XDG_RUNTIME_DIR to directories that are",
        ) from error


def settings(home: Home, bridge: Bridge | None) -> dict[str, object]:
    """The daemon's configuration file (dockerd(8)), with what an administrator set for all."""
    settings: dict[str, object] = {
        **_system_settings(),
        "data-root": str(home.data),
        "exec-root": str(home.run / "exec"),
        "pidfile": str(home.run / "dockerd.pid"),
        "hosts": [f"unix://{home.socket}"],
    }
    if bridge is not None:
        settings |= {
            "bridge": bridge.name,
            "iptables": False,
            "ip-masq": False,
            "default-address-pools": [{"base": bridge.pool, "size": 26}],
        }
    return settings


def _system_settings() -> dict[str, object]:
    try:
        settings = json.loads(_SYSTEM_SETTINGS.read_bytes())
        return {name: settings[name] for name in _KEPT_SETTINGS if name in settings}
    except (OSError, ValueError, TypeError):
        return {}


def remove_stale(home: Home) -> None:
    """What a killed daemon left; the locks say that none of ours is alive.

    Its containerd dies with it (moby sets ``Pdeathsig``), but where nobody reaps orphans, as in a
    container without init, the next daemon takes the dead process for a living one by its pid file.
    """
    stale = ("dockerd.pid", "exec/containerd/containerd.pid", "exec/containerd/containerd.sock")
    for path in (home.socket, *(home.run / name for name in stale), home.networks):
        path.unlink(missing_ok=True)
    _remove_dead_containerd_socket()


def _remove_dead_containerd_socket() -> None:
    """dockerd waits in vain for a containerd whose socket is there (moby, cmd/dockerd)."""
    if os.getuid() != 0 or not _CONTAINERD.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(_CONTAINERD))
        except ConnectionRefusedError:
            _CONTAINERD.unlink(missing_ok=True)


def write(path: Path, content: dict[str, object]) -> None:
    """Write a file the daemon or the keeper reads."""
    path.write_text(json.dumps(content, indent=2))
