"""What to install where there is no container engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_OS_RELEASE: Final = (Path("/etc/os-release"), Path("/usr/lib/os-release"))

_ENGINE: Final = {
    "debian": "apt-get install docker.io",
    "ubuntu": "apt-get install docker.io",
    "fedora": "dnf install moby-engine",
    "rhel": "dnf install podman && systemctl enable --now podman.socket",
    "centos": "dnf install podman && systemctl enable --now podman.socket",
    "alpine": "apk add docker",
    "arch": "pacman -S docker",
    "suse": "zypper install docker",
    "opensuse": "zypper install docker",
    "darwin": "brew install colima docker && colima start",
}
_NETWORK_TOOLS: Final = {
    "debian": "apt-get install iproute2 iptables",
    "ubuntu": "apt-get install iproute2 iptables",
    "fedora": "dnf install iproute iptables-nft",
    "rhel": "dnf install iproute iptables-nft",
    "centos": "dnf install iproute iptables-nft",
    "alpine": "apk add iproute2 iptables",
    "arch": "pacman -S iproute2 iptables",
    "suse": "zypper install iproute2 iptables",
    "opensuse": "zypper install iproute2 iptables",
}


def system_of(os_release: str) -> tuple[str, ...]:
    """The ids of a system, the most exact first, from the text of os-release(5)."""
    values = dict(line.partition("=")[::2] for line in os_release.splitlines())
    ids = f"{_unquoted(values.get('ID', ''))} {_unquoted(values.get('ID_LIKE', ''))}"
    return tuple(ids.lower().split())


def this_system(platform: str) -> tuple[str, ...]:
    """The ids of this system; `platform` is ``sys.platform``."""
    if platform == "darwin":
        return ("darwin",)
    for path in _OS_RELEASE:
        if path.is_file():
            return system_of(path.read_text(errors="replace"))
    return ()


def engine_advice(system: tuple[str, ...]) -> str:
    """How to get an engine, as the end of a sentence."""
    return _advice(system, _ENGINE, "install Docker or Podman")


def network_advice(system: tuple[str, ...]) -> str:
    """How to get ``ip`` and ``iptables``, as the end of a sentence."""
    return _advice(system, _NETWORK_TOOLS, "install iproute2 and iptables")


def _advice(system: tuple[str, ...], commands: Mapping[str, str], otherwise: str) -> str:
    for name in system:
        if name in commands:
            return f"install it with `{commands[name]}`"
    return otherwise


def _unquoted(text: str) -> str:
    return text.strip().strip("\"'")
