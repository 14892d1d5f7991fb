"""A network of the embedded engine's own, so that it never touches another engine's.

Two daemons on one machine would share the bridge ``docker0`` and hand out the same addresses, and
each one empties the other's iptables chains when it starts (moby, libnetwork's bridge driver).
So ours gets its own bridge and address range, manages no chains, and three rules of ours let its
containers out. Published ports go through docker's proxy process, which needs no rule.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

import anyio
from msgspec import Struct

from longshore.engine.embedded.locks import EXCLUSIVE, lock, lock_directory
from longshore.errors import EngineUnavailable
from longshore.processes import run

_ROUTES: Final = Path("/proc/net/route")
_FIRST, _COUNT = 200, 55
_TURN: Final = Path("/run")
"""Locked by who chooses a range until it is taken: others start engines as well."""
_TURN_SECONDS: Final = 30.0
Command = list[str]


class Bridge(Struct, frozen=True, kw_only=True):
    """A bridge `name` with the range 10.N.0.0/16: its lower half is the default network's."""

    name: str
    network: IPv4Network

    @property
    def address(self) -> str:
        """The bridge's own address with its prefix length."""
        return f"{self.network.network_address + 1}/17"

    @property
    def pool(self) -> str:
        """Where the networks of runs get their ranges from."""
        return str(list(self.network.subnets())[1])

    def rules(self) -> tuple[Command, ...]:
        """Arguments of iptables behind its ``-A``, ``-C`` or ``-D``, chain first."""
        inside = str(self.network)
        mark = ["-m", "comment", "--comment", self.name]
        back = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
        return (
            ["nat", "POSTROUTING", "-s", inside, "!", "-d", inside, *mark, "-j", "MASQUERADE"],
            ["filter", "FORWARD", "-s", inside, *mark, "-j", "ACCEPT"],
            ["filter", "FORWARD", "-d", inside, *back, *mark, "-j", "ACCEPT"],
        )


class NetworkTools(Struct, frozen=True, kw_only=True):
    """Where ``ip`` and ``iptables`` are."""

    ip: str
    iptables: str


def chosen_bridge(owner: Path, routes: str) -> Bridge:
    """The bridge of the engine whose data lie in `owner`, given the text of /proc/net/route.

    An existing bridge keeps its range; else the first free one is taken, from a place on that
    depends on `owner`. Raises EngineUnavailable when all are taken.
    """
    digest = hashlib.sha256(str(owner).encode())
    name = f"ls-{digest.hexdigest()[:10]}"
    taken = _networks(routes)
    candidates = [_range(digest.digest()[0] + offset) for offset in range(_COUNT)]
    for network in candidates:
        if any(device == name and other.subnet_of(network) for device, other in taken):
            return Bridge(name=name, network=network)
    for network in candidates:
        if not any(other.overlaps(network) for _, other in taken if other.prefixlen):
            return Bridge(name=name, network=network)
    raise EngineUnavailable(
        f"no address range between 10.{_FIRST}.0.0 and 10.{_FIRST + _COUNT - 1}.255.255 is free "
        "for the private engine",
        hint="use an engine that runs already: set DOCKER_HOST",
    )


def forgotten(bridge: Bridge, routes: str) -> list[str]:
    """Bridges in the engine's range that a daemon made for runs, and the next does not know."""
    found = (d for d, other in _networks(routes) if other.subnet_of(bridge.network))
    return sorted({device for device in found if device.startswith("br-")})


@asynccontextmanager
async def set_up(owner: Path, tools: NetworkTools) -> AsyncIterator[Bridge]:
    """A bridge and its rules, made or completed; old networks of runs go.

    All of it is taken down again when the block fails; after it that is the keeper's.
    """
    with lock_directory(_TURN) as turn:
        with suppress(EngineUnavailable):  # seldom do two look from the same place on
            await lock(turn, EXCLUSIVE, _TURN_SECONDS)
        routes = _ROUTES.read_text()
        bridge = chosen_bridge(owner, routes)
        async with _undone_on_failure(bridge, tools):
            await _make(bridge, tools, forgotten(bridge, routes))
    async with _undone_on_failure(bridge, tools):
        yield bridge


@asynccontextmanager
async def _undone_on_failure(bridge: Bridge, tools: NetworkTools) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        with anyio.CancelScope(shield=True):
            for command in tear_down(bridge, tools):
                with suppress(OSError):
                    await _succeeds(command)
        raise


async def _make(bridge: Bridge, tools: NetworkTools, forgotten: list[str]) -> None:
    for device in forgotten:
        await _run([tools.ip, "link", "delete", device])
    if not Path("/sys/class/net", bridge.name).exists():
        await _run([tools.ip, "link", "add", bridge.name, "type", "bridge"])
    await _run([tools.ip, "address", "replace", bridge.address, "dev", bridge.name])
    await _run([tools.ip, "link", "set", bridge.name, "up"])
    for rule in bridge.rules():
        if not await _succeeds(_iptables(tools, "-C", rule)):
            await _run(_iptables(tools, "-I", rule))


def tear_down(bridge: Bridge, tools: NetworkTools) -> list[Command]:
    """The commands that undo `set_up`."""
    rules = [_iptables(tools, "-D", rule) for rule in bridge.rules()]
    return [*rules, [tools.ip, "link", "delete", bridge.name]]


def _iptables(tools: NetworkTools, action: str, rule: Command) -> Command:
    table, *rest = rule
    return [tools.iptables, "--wait", "--table", table, action, *rest]


def _range(number: int) -> IPv4Network:
    return IPv4Network(f"10.{_FIRST + number % _COUNT}.0.0/16")


def _networks(routes: str) -> list[tuple[str, IPv4Network]]:
    """Device and destination of every route; the kernel writes addresses in its byte order."""
    rows = [line.split() for line in routes.splitlines()[1:]]
    return [(row[0], _destination(row[1], row[7])) for row in rows if len(row) > 7]


def _destination(address: str, mask: str) -> IPv4Network:
    octets = [int.from_bytes(bytes.fromhex(text), "little") for text in (address, mask)]
    return IPv4Network((octets[0], str(ipaddress.IPv4Address(octets[1]))))


async def _run(command: Command) -> None:
    result = await run(command, start_new_session=True)
    if result.returncode:
        said = result.stderr.decode(errors="replace").strip().splitlines()
        raise EngineUnavailable(
            f"the private engine's network could not be made: `{' '.join(command)}` failed",
            hint=said[-1] if said else None,
        )


async def _succeeds(command: Command) -> bool:
    return (await run(command, start_new_session=True)).returncode == 0
