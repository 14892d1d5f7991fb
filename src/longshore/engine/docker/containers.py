"""Containers: create, start, wait, stop, remove, health and files."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

import anyio
from msgspec.structs import replace

from longshore.engine.docker.answers import (
    container_resource,
    exit_from,
    health_from,
)
from longshore.engine.docker.client import Client
from longshore.engine.docker.convert import container_body, filters, label_conditions
from longshore.engine.docker.errors import reading, refusal
from longshore.engine.docker.happenings import End, events_of
from longshore.engine.docker.settled import settled
from longshore.engine.spec import ContainerSpec, Exit, Health, Resource
from longshore.errors import Conflict, EngineError, NotFound

_SECONDS_OF_AN_EVENT = 2.0
"""For the event of an end that is known already; engines send both at once."""

KILLED = 137
"""128 + SIGKILL: the one code after which it is worth asking whether the memory was used up."""


async def create(client: Client, spec: ContainerSpec) -> str:
    """Create a container; its id."""

    async def make() -> str:
        params = {"name": spec.name}
        answer = await client.json(
            "POST", "/containers/create", params=params, body=container_body(spec)
        )
        with reading("a new container"):
            return str(answer["Id"])

    return await settled(make, lambda container: remove(client, container))


async def start(client: Client, container: str) -> None:
    """Start a container; starting a running one changes nothing (status 304)."""
    await client.json("POST", f"{_path(container)}/start")


async def wait(client: Client, container: str) -> Exit:
    """One request until the end; a second one only for a killed container.

    The condition is race-free: the engine answers at once when the container has ended already.
    """
    params = {"condition": "not-running"}
    answer = await client.json("POST", f"{_path(container)}/wait", params=params)
    with reading("a container's end"):
        error = (answer.get("Error") or {}).get("Message")
        code = int(answer["StatusCode"])
    if error:
        raise refusal(None, error)
    if code != KILLED:
        return Exit(code=code)
    return exit_from(await _inspect(client, container)) or Exit(code=code)


async def witness(client: Client, container: str) -> Exit:
    """As `wait`; the container's events, the last of which is its end, tell who wanted that end."""
    end = End()
    failure: EngineError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end.watch, client, container)
        try:
            ended = await wait(client, container)
            with anyio.move_on_after(_SECONDS_OF_AN_EVENT):
                await end.told.wait()
        except EngineError as error:
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return replace(ended, stopped=end.was_asked_for)


async def stop(client: Client, container: str, grace: float) -> None:
    """Stop it; the engine counts whole seconds, so `grace` is rounded up."""
    with suppress(NotFound):
        await client.json(
            "POST", f"{_path(container)}/stop", params={"t": str(max(0, math.ceil(grace)))}
        )


async def kill(client: Client, container: str, signal: str) -> None:
    """Send a signal; 409 says that it does not run."""
    with suppress(NotFound, Conflict):
        await client.json("POST", f"{_path(container)}/kill", params={"signal": signal})


async def remove(client: Client, container: str) -> None:
    """Remove it, running or not, and wait when somebody else is removing it already."""
    with suppress(NotFound):
        try:
            await client.json("DELETE", _path(container), params={"force": "1", "v": "1"})
        except Conflict:
            await client.json("POST", f"{_path(container)}/wait", params={"condition": "removed"})


async def resize(client: Client, container: str, rows: int, columns: int) -> None:
    """Set the terminal's size."""
    params = {"h": str(rows), "w": str(columns)}
    await client.json("POST", f"{_path(container)}/resize", params=params)


async def health(client: Client, container: str) -> AsyncIterator[Health]:
    """The health now and every change.

    An event only says when to look again: its own word may be older than what was seen, and times
    cannot be compared over a jump of the engine's clock.
    """
    seen = health_from(await _inspect(client, container))
    yield seen
    if seen in {Health.GONE, Health.NONE}:
        return
    # Podman's name for the end is "died"; 5.8 takes "die" as well, 4.3 does not.
    kinds = ("health_status", "die", "died", "destroy")
    async with events_of(client, container, *kinds) as events:
        async for _ in events:
            now = await _health_now(client, container)
            if now is not seen:
                seen = now
                yield seen
            if seen is Health.GONE:
                return
    raise EngineError("the engine ended its stream of events")


async def _health_now(client: Client, container: str) -> Health:
    try:
        return health_from(await _inspect(client, container))
    except NotFound:
        return Health.GONE


@asynccontextmanager
async def read_file(
    client: Client, container: str, path: str
) -> AsyncIterator[AsyncIterator[bytes]]:
    """A path of the container's file system as a tar stream."""
    params = {"path": path}
    async with client.stream("GET", f"{_path(container)}/archive", params=params) as answer:
        yield answer.chunks()


async def labelled(client: Client, labels: Mapping[str, str]) -> tuple[Resource, ...]:
    """All containers with the labels, running or not."""
    return await _listed(client, filters(label=label_conditions(labels)))


async def named(client: Client, prefix: str) -> tuple[Resource, ...]:
    """All containers whose name starts with `prefix`; the engine's filter is a Go expression."""
    found = await _listed(client, filters(name=[f"^/?{re.escape(prefix)}"]))
    return tuple(c for c in found if c.name.removeprefix("/").startswith(prefix))


async def _listed(client: Client, wanted: Mapping[str, str]) -> tuple[Resource, ...]:
    answer = await client.json("GET", "/containers/json", params={"all": "1", **wanted})
    with reading("its containers"):
        return tuple(container_resource(entry) for entry in answer)


async def _inspect(client: Client, container: str) -> Mapping[str, Any]:
    answer = await client.json("GET", f"{_path(container)}/json")
    return answer if isinstance(answer, dict) else {}


def _path(container: str) -> str:
    return f"/containers/{quote(container, safe='')}"
