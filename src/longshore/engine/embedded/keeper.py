"""The process that keeps the embedded engine's daemon, and stops it when nobody uses it any more.

Run as a script with the path of a plan (see `longshore.engine.embedded.daemon`), it forks once: the
first process ends when the lock ``alive`` is held, the second starts the daemon and waits for an
exclusive lock on ``users``. Every run that uses the engine holds that lock shared, and the kernel
drops it however the run ends, so a killed run leaves no daemon behind. Should the keeper itself be
killed, the kernel terminates the daemon (``PR_SET_PDEATHSIG``, prctl(2)).

Standard library only and no import of ours: it has to start at once, and to outlive an upgrade.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import ipaddress
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
BUSY = 3
"""Exit code: another keeper is alive."""


def main(plan_path: str) -> int:
    """Become the keeper in the background; 0 when it is alive."""
    plan = json.loads(Path(plan_path).read_bytes())
    alive = _opened(plan["alive"])
    try:
        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return BUSY
    # The lock belongs to the open file, which the child shares: no moment without it.
    if os.fork() == 0:
        os.setsid()
        _keep(plan)
    return 0


def _keep(plan: dict[str, Any]) -> None:
    try:
        _run_daemon(plan)
    except OSError as error:
        sys.stderr.write(f"{plan['command'][0]} cannot be started: {error.strerror}\n")
    for command in (*_network_removals(plan.get("networks")), *plan["afterwards"]):
        with contextlib.suppress(OSError):
            # Not into the log: there the daemon's reason to end shall stand last.
            subprocess.run(
                command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
            )


def _run_daemon(plan: dict[str, Any]) -> None:
    daemon = subprocess.Popen(
        plan["command"],
        cwd="/",
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_parent,  # safe: one thread so far
    )
    threading.Thread(target=_stop_when_unused, args=(plan, daemon), daemon=True).start()
    daemon.wait()


def _network_removals(networks: dict[str, str] | None) -> list[list[str]]:
    """Commands that delete the bridges of runs' networks, which a killed daemon leaves behind.

    Addresses in /proc/net/route are hexadecimal, in the kernel's byte order.
    """
    if networks is None:
        return []
    pool = ipaddress.IPv4Network(networks["pool"])
    rows = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    devices = {
        row[0]
        for row in rows
        if row[0].startswith("br-")
        and ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(row[1]), "little")) in pool
    }
    return [[networks["ip"], "link", "delete", device] for device in sorted(devices)]


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop_when_unused(plan: dict[str, Any], daemon: subprocess.Popen[bytes]) -> None:
    """The lock stays held until this process ends, so nobody starts a second daemon meanwhile."""
    fcntl.flock(_opened(plan["users"]), fcntl.LOCK_EX)
    daemon.terminate()
    try:
        daemon.wait(plan["grace"])
    except subprocess.TimeoutExpired:
        daemon.kill()


def _opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
