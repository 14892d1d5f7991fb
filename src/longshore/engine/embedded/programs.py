"""The programs an embedded engine is made of."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Final

from msgspec import Struct

from longshore.engine.embedded.bridge import NetworkTools
from longshore.engine.embedded.installation import engine_advice, network_advice, this_system
from longshore.environment import Environment
from longshore.errors import EngineUnavailable

_SYSTEM_PATH: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin")
_DEBIAN_ROOTLESS: Final = "/usr/share/docker.io/contrib"


class Programs(Struct, frozen=True, kw_only=True):
    """What is started; a rootless daemon brings its own network and its own mounts."""

    daemon: str
    network: NetworkTools | None
    umount: str | None
    path: str


def find_programs(
    environment: Environment, *, system_path: tuple[str, ...] = _SYSTEM_PATH
) -> Programs:
    """The programs of the engine; raises EngineUnavailable, saying what to install.

    `system_path` is searched after PATH, on which users other than root have no daemons.
    """
    path = os.pathsep.join((environment.get("PATH") or "", *system_path))
    if os.getuid() == 0:
        return _system_programs(path)
    daemon = shutil.which("dockerd-rootless.sh", path=f"{path}:{_DEBIAN_ROOTLESS}")
    if daemon is None or shutil.which("rootlesskit", path=path) is None:
        raise _nothing_to_start(shutil.which("dockerd", path=path))
    return Programs(daemon=daemon, network=None, umount=None, path=path)


def _system_programs(path: str) -> Programs:
    daemon, ip, iptables = (shutil.which(name, path=path) for name in ("dockerd", "ip", "iptables"))
    if daemon is None:
        raise _nothing_to_start(None)
    if ip is None or iptables is None:
        missing = "ip" if ip is None else "iptables"
        advice = network_advice(this_system(sys.platform))
        raise EngineUnavailable(f"a private engine needs the program `{missing}`: {advice}")
    return Programs(
        daemon=daemon,
        network=NetworkTools(ip=ip, iptables=iptables),
        umount=shutil.which("umount", path=path),
        path=path,
    )


def _nothing_to_start(daemon: str | None) -> EngineUnavailable:
    if daemon is not None:
        return EngineUnavailable(
            "no container engine answers, and a private one needs root or rootless Docker: run "
            "this as root, start the system's engine, or install rootless Docker"
        )
    advice = engine_advice(this_system(sys.platform))
    return EngineUnavailable(f"no container engine answers and none is installed: {advice}")
