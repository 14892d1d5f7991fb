"""Connections that are kept for the next request, and engines that close them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from longshore.engine.docker.dial import Address
from longshore.engine.docker.http import Pool

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Engine:
    """Answers `kept` requests on a connection; `dies`: it takes the next one and is gone."""

    def __init__(self, kept: int, *, dies: bool) -> None:
        self._kept, self._dies = kept, dies
        self.requests: list[bytes] = []

    async def serve(self, stream: SocketStream) -> None:
        async with stream:
            for _ in range(self._kept):
                if not await self._request(stream):
                    return
                await stream.send(_ANSWER)
            if self._dies:
                self._dies = not await self._request(stream)

    async def _request(self, stream: SocketStream) -> bool:
        received = b""
        while (
            not received.endswith((b"\r\n\r\n", b"0\r\n\r\n"))
            or b"chunked\r\n\r\n" in received[-11:]
        ):
            try:
                received += await stream.receive()
            except anyio.EndOfStream:
                return False
        self.requests.append(received.split(b" ", 1)[0])
        return True


@asynccontextmanager
async def _connected(engine: Engine, folder: Path) -> AsyncIterator[Pool]:
    path = folder / "engine.sock"
    pool = Pool(Address(where="test", local=True, socket=str(path)))
    async with await anyio.create_unix_listener(path) as opened, anyio.create_task_group() as tasks:
        tasks.start_soon(opened.serve, engine.serve)
        try:
            yield pool
        finally:
            await pool.close()
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()


async def _ask(pool: Pool, method: str, *, stream: bool = False) -> bytes:
    async def block() -> AsyncIterator[bytes]:
        yield b"tar"

    async with pool.request(method, "/x", {}, block() if stream else None) as response:
        return await response.read()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_kept_connection_that_the_engine_has_closed_is_not_used(
    tmp_path: Path, stream: bool
) -> None:
    """podman's service ends when nobody has asked for five seconds, and so do proxies' lines."""
    engine = Engine(1, dies=False)
    async with _connected(engine, tmp_path) as pool:
        await _ask(pool, "GET")
        with anyio.fail_after(5):
            assert await _ask(pool, "POST", stream=stream) == b"ok"
    assert engine.requests == [b"GET", b"POST"]


async def test_what_an_engine_took_before_it_died_is_not_asked_for_again(tmp_path: Path) -> None:
    """A second POST might make a second container, or wait for one that is gone."""
    engine = Engine(1, dies=True)
    async with _connected(engine, tmp_path) as pool:
        await _ask(pool, "GET")
        with pytest.raises(anyio.EndOfStream):
            await _ask(pool, "POST")
    assert engine.requests == [b"GET", b"POST"]


async def test_what_changes_nothing_is_asked_for_again(tmp_path: Path) -> None:
    engine = Engine(1, dies=True)
    async with _connected(engine, tmp_path) as pool:
        await _ask(pool, "GET")
        assert await _ask(pool, "GET") == b"ok"
    assert engine.requests == [b"GET", b"GET", b"GET"]
