"""Starting the embedded engine's daemon."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from pathlib import Path
from typing import Final

import anyio

from longshore.engine.embedded import keeper
from longshore.engine.embedded.bridge import Bridge, set_up, tear_down
from longshore.engine.embedded.home import Home, remove_stale, settings, write
from longshore.engine.embedded.locks import SHARED, lock_file, try_lock
from longshore.engine.embedded.programs import Programs
from longshore.engine.patience import until
from longshore.environment import Environment
from longshore.errors import EngineUnavailable
from longshore.processes import run

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
_LOG_LINES: Final = 12
_NO_ROOM: Final = "no space left on device"
_PASSED_ON: Final = ("HOME", "XDG_RUNTIME_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


async def start(home: Home, programs: Programs, environment: Environment) -> None:
    """Start a daemon and return when it answers; the caller holds ``starting`` and ``users``.

    Raises EngineUnavailable with the end of the daemon's log. A daemon that was launched before a
    failure or a cancellation is stopped by its keeper when the caller lets go of ``users``.
    """
    remove_stale(home)
    await _unmount_stale(home.of_daemon(), programs)
    home.remember()
    async with _network(home, programs) as bridge:
        write(home.settings, settings(home, bridge))
        write(home.plan, _plan(home, programs, bridge))
        with anyio.CancelScope(shield=True):  # it takes no time, and leaves the bridge to one
            await _launch(home, _daemon_environment(home, programs, environment))
    if not await until(lambda: decided(home), seconds=READY_SECONDS) or _keeper_is_gone(home):
        raise _did_not_start(home)


async def _unmount_stale(home: Home, programs: Programs) -> None:
    """Network namespaces of a killed daemon's containers, of which the next one knows nothing."""
    if programs.umount is None:
        return
    for path in home.namespaces.glob("*"):
        await run([programs.umount, str(path)])
        with suppress(OSError):
            path.unlink()


def _network(home: Home, programs: Programs) -> AbstractAsyncContextManager[Bridge | None]:
    return set_up(home.data, programs.network) if programs.network else nullcontext()


async def _launch(home: Home, environment: dict[str, str]) -> None:
    command = [sys.executable, "-I", keeper.__file__, str(home.plan)]
    with home.log.open("wb") as log:
        result = await run(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    if result.returncode:
        raise _did_not_start(home)


async def decided(home: Home) -> bool:
    """Whether a daemon answers or there is none: nothing is starting, or ending, any more."""
    return await answers(home.socket) or _keeper_is_gone(home)


def _keeper_is_gone(home: Home) -> bool:
    with lock_file(home.alive) as alive:
        return try_lock(alive, SHARED)


def _did_not_start(home: Home) -> EngineUnavailable:
    """Where the disk is full the daemon's last words are of what it misses, many lines later."""
    log = home.log.read_text(errors="replace") if home.log.exists() else ""
    if _NO_ROOM in log:
        return EngineUnavailable(
            "the private container engine did not start: no space left",
            hint=f"make room in {home.data} and {home.run}, or set XDG_DATA_HOME and "
            "XDG_RUNTIME_DIR to directories with room",
        )
    lines = [line for line in log.splitlines() if " level=info " not in line]
    return EngineUnavailable(
        "the private container engine did not start",
        hint="\n".join(("it said last:", *lines[-_LOG_LINES:])) if lines else None,
    )


async def answers(socket: Path) -> bool:
    """Whether an engine answers ``GET /_ping`` there (Engine API, "Ping")."""
    with anyio.move_on_after(5), suppress(OSError, anyio.EndOfStream, anyio.BrokenResourceError):
        async with await anyio.connect_unix(str(socket)) as stream:
            await stream.send(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            status = (await stream.receive(64)).split(b" ", 2)
            return status[1:2] == [b"200"]
    return False


def _plan(home: Home, programs: Programs, bridge: Bridge | None) -> dict[str, object]:
    """What the keeper reads."""
    undo = tear_down(bridge, programs.network) if bridge and programs.network else []
    if programs.umount and not home.data.is_mount():
        # dockerd mounts its directory onto itself and, where mounts are private, leaves it so; one
        # that was killed leaves containers' mounts below, which keep it busy (hence lazily).
        # A file system of the user's, as a volume in a container, is not ours to unmount.
        undo.append([programs.umount, "-l", str(home.data)])
    return {
        "users": str(home.users),
        "alive": str(home.alive),
        "command": [programs.daemon, *_arguments(home)],
        "networks": _networks(programs, bridge),
        "afterwards": undo,
        "grace": STOP_SECONDS,
    }


def _networks(programs: Programs, bridge: Bridge | None) -> dict[str, str] | None:
    """How the keeper finds and deletes the bridges that a killed daemon left."""
    if bridge is None or programs.network is None:
        return None
    return {"pool": bridge.pool, "ip": programs.network.ip}


def _arguments(home: Home) -> list[str]:
    """The machine's containerd is used where it runs, and another engine's containers live there.

    The names of the namespaces are flags: their spelling in the configuration file has changed.
    """
    return [
        f"--config-file={home.settings}",
        f"--containerd-namespace={home.run.name}",
        f"--containerd-plugins-namespace={home.run.name}-plugins",
    ]


def _daemon_environment(home: Home, programs: Programs, environment: Environment) -> dict[str, str]:
    """Only what a daemon needs: keys and passwords in our environment are not for it."""
    names = (*_PASSED_ON, *(name.lower() for name in _PASSED_ON))
    passed = {name: value for name in names if (value := environment.get(name)) is not None}
    return {"XDG_RUNTIME_DIR": str(home.run), **passed, "PATH": programs.path}
