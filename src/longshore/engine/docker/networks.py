"""Networks and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from longshore.engine.docker.answers import network_resource, volume_resource
from longshore.engine.docker.client import Client
from longshore.engine.docker.convert import filters, label_conditions
from longshore.engine.docker.errors import reading
from longshore.engine.docker.settled import settled
from longshore.engine.spec import Resource
from longshore.errors import EngineError, NotFound

_VANISHED: Final = "no such network interface"
"""Podman looks at all interfaces of the machine for a free subnet. One that goes meanwhile, such as
another step's, fails that (Go, ``net.Interface.Addrs``), before anything was made."""

_ATTEMPTS: Final = 5


async def create(client: Client, name: str, labels: Mapping[str, str]) -> str:
    """Create a bridge network; its id. `CheckDuplicate` makes a second one of a name a Conflict."""
    body = {"Name": name, "Driver": "bridge", "CheckDuplicate": True, "Labels": dict(labels)}

    async def make() -> str:
        answer = await _created(client, body)
        with reading("a new network"):
            return str(answer["Id"])

    return await settled(make, lambda network: remove(client, network))


async def _created(client: Client, body: Mapping[str, object]) -> Any:
    """The answer of the first attempt in which no interface of the machine vanished."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await client.json("POST", "/networks/create", body=body)
        except EngineError as refused:
            if _VANISHED not in refused.message:
                raise
    return await client.json("POST", "/networks/create", body=body)


async def finds_names(client: Client, network: str) -> bool:
    """False where Podman says so; its answers in Docker's form leave it out."""
    if not client.identity.is_podman:
        return True
    with suppress(EngineError):
        answer = await client.json("GET", f"/libpod/networks/{quote(network, safe='')}/json")
        return not isinstance(answer, dict) or answer.get("dns_enabled") is not False
    return True


async def remove(client: Client, network: str) -> None:
    """Remove a network; one that is gone is fine."""
    with suppress(NotFound):
        await client.json("DELETE", f"/networks/{quote(network, safe='')}")


async def remove_volume(client: Client, volume: str) -> None:
    """Remove a volume; one that is gone is fine."""
    with suppress(NotFound):
        await client.json("DELETE", f"/volumes/{quote(volume, safe='')}")


async def labelled(client: Client, labels: Mapping[str, str]) -> tuple[Resource, ...]:
    """All networks with the labels."""
    wanted = filters(label=label_conditions(labels))
    answer = await client.json("GET", "/networks", params=wanted)
    with reading("its networks"):
        return tuple(network_resource(entry) for entry in answer)


async def labelled_volumes(client: Client, labels: Mapping[str, str]) -> tuple[Resource, ...]:
    """All volumes with the labels."""
    wanted = filters(label=label_conditions(labels))
    answer = await client.json("GET", "/volumes", params=wanted)
    with reading("its volumes"):
        return tuple(volume_resource(entry) for entry in answer["Volumes"] or ())
