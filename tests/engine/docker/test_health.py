"""A container's health follows the engine's events, and no clock's jump hides one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import Health

VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.12"}
CHECKED = {"Healthcheck": {"Test": ["CMD", "true"]}}
LATE = "2030-01-01T00:00:00Z"
"""When the last check ended, by the clock before it was set back."""


def _answer(body: object) -> bytes:
    text = json.dumps(body).encode()
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text


def _chunk(body: object) -> bytes:
    text = json.dumps(body).encode() + b"\n"
    return f"{len(text):x}\r\n".encode() + text + b"\r\n"


@dataclass
class Checked:
    """An engine with one container, whose state is `status`; `events` are of an hour ago."""

    endpoint: Endpoint
    status: str = "starting"
    state: str = "running"
    listening: anyio.Event = field(default_factory=anyio.Event)
    events: list[SocketStream] = field(default_factory=list)

    async def serve(self, stream: SocketStream) -> None:
        """A connection of the adapter."""
        async with stream:
            while request := await _received(stream):
                if b"/events" in request:
                    await stream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    self.events.append(stream)
                    self.listening.set()
                    await anyio.sleep_forever()
                told = VERSION if request.startswith(b"GET /version") else self._container()
                await stream.send(_answer(told))

    def _container(self) -> object:
        health = {"Status": self.status, "Log": [{"End": LATE}]}
        return {"State": {"Status": self.state, "Health": health}, "Config": CHECKED}

    async def tell(self, action: str) -> None:
        """An event as engines write it, with the time of the clock that was set back."""
        event = {"Action": action, "time": 1_600_000_000, "timeNano": 1_600_000_000_000_000_000}
        await self.events[-1].send(_chunk(event))


async def _received(stream: SocketStream) -> bytes:
    try:
        return await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return b""


@asynccontextmanager
async def _checked(tmp_path: Path) -> AsyncIterator[Checked]:
    path = tmp_path / "engine.sock"
    engine = Checked(Endpoint(url=f"unix://{path}", origin="test"))
    async with anyio.create_task_group() as tasks, await anyio.create_unix_listener(path) as opened:
        tasks.start_soon(opened.serve, engine.serve)
        yield engine
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("status", ["healthy", "unhealthy"])
async def test_a_clock_that_is_set_back_hides_no_change(tmp_path: Path, status: str) -> None:
    seen: list[Health] = []
    async with _checked(tmp_path) as checked, connect(checked.endpoint) as engine:

        async def change() -> None:
            await checked.listening.wait()
            checked.status = status
            await checked.tell(f"health_status: {status}")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(change)
            with anyio.fail_after(10):
                async for health in engine.health("c"):
                    seen.append(health)
                    if health is not Health.STARTING:
                        break
    assert seen == [Health.STARTING, Health(status)]


async def test_an_old_event_does_not_bring_an_old_health_back(tmp_path: Path) -> None:
    seen: list[Health] = []
    async with _checked(tmp_path) as checked, connect(checked.endpoint) as engine:
        checked.status = "healthy"

        async def repeat() -> None:
            await checked.listening.wait()
            await checked.tell("health_status: unhealthy")
            await checked.tell("health_status: healthy")
            checked.state = "exited"
            await checked.tell("die")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(repeat)
            with anyio.fail_after(10):
                seen = [health async for health in engine.health("c")]
    assert seen == [Health.HEALTHY, Health.GONE]
