"""A container's output and input over a hijacked connection.

This speaks the little HTTP that is needed on a connection of its own: a request to upgrade, the
head of the answer, and from there plain bytes in both directions
(Engine API, ``POST /containers/{id}/attach``, "Hijacking"). Nothing is read ahead of the consumer,
so a slow one slows the container down instead of filling our memory.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode

import anyio
from anyio.abc import ByteStream

from longshore.engine.docker.client import Client, said_in
from longshore.engine.docker.dial import Address
from longshore.engine.docker.errors import reading, refusal, translated
from longshore.engine.docker.http import check_beginning
from longshore.engine.logs import Demultiplexer
from longshore.engine.spec import OutputChunk
from longshore.errors import EngineError, EngineUnavailable

READ_SIZE = 1 << 18
_HEAD_LIMIT = 1 << 16


@asynccontextmanager
async def attached(
    client: Client, container: str, *, tty: bool, stdin: bool
) -> AsyncIterator[HijackedStream]:
    """Attach. When this returns the engine holds the output for us, so ``start`` may follow."""
    stream = await client.address.dial()
    try:
        first = await _upgraded(stream, client, _target(client, container, stdin))
        yield HijackedStream(stream, client.address, first=first, tty=tty)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.aclose_forcefully(stream)


class HijackedStream:
    """The `Attachment` of the port, over a raw connection."""

    def __init__(self, stream: ByteStream, address: Address, *, first: bytes, tty: bool) -> None:
        self._stream = stream
        self._address = address
        self._first = first
        self._tty = tty

    async def __aiter__(self) -> AsyncIterator[OutputChunk]:
        """Chunks as they come; see the port for how it ends."""
        if self._tty:
            async for data in self._received():
                yield OutputChunk(stream=1, data=data)
            return
        demultiplexer = Demultiplexer()
        async for data in self._received():
            for chunk in demultiplexer.feed(data):
                yield chunk
        demultiplexer.finish()

    async def write(self, data: bytes) -> None:
        """Send input; waits while the container does not read."""
        with translated(self._address.where):
            await self._stream.send(data)

    async def close_input(self) -> None:
        """Half-close the connection."""
        with translated(self._address.where):
            await self._stream.send_eof()

    async def _received(self) -> AsyncIterator[bytes]:
        if self._first:
            yield self._first
        while True:
            data = await self._receive()
            if not data:
                break
            yield data
        # A dying engine closes its connections like an ending container does: ask which it was.
        if not await self._address.answers():
            raise EngineUnavailable(f"the engine at {self._address.where} has ended")

    async def _receive(self) -> bytes:
        try:
            return await self._stream.receive(READ_SIZE)
        except (anyio.EndOfStream, anyio.BrokenResourceError, ssl.SSLError):
            return b""


def _target(client: Client, container: str, stdin: bool) -> str:
    wanted = {"stream": "1", "stdout": "1", "stderr": "1", "stdin": "1" if stdin else "0"}
    path = client.path(f"/containers/{quote(container, safe='')}/attach")
    return f"{path}?{urlencode(wanted)}"


async def _upgraded(stream: ByteStream, client: Client, target: str) -> bytes:
    """Make the request; the bytes of output that came along with the answer's head."""
    request = (
        f"POST {target} HTTP/1.1\r\nHost: engine\r\nContent-Length: 0\r\n"
        "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    )
    with translated(client.address.where):
        await stream.send(request.encode("ascii"))
        head, rest = await _head(stream)
        with reading("an attachment"):
            status = int(head.split(b" ", 2)[1])
        # 200 is the answer of engines that hijack without an upgrade (Engine API, "Hijacking").
        if status in {101, 200}:
            return rest
        body = await _body(stream, head, rest)
    raise refusal(status, said_in(body))


async def _head(stream: ByteStream) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += await stream.receive(READ_SIZE)
        check_beginning(data)
        if len(data) > _HEAD_LIMIT and b"\r\n\r\n" not in data:
            raise EngineError("the engine's answer to an attach has no end")
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


async def _body(stream: ByteStream, head: bytes, body: bytes) -> bytes:
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            with reading("an attachment"):
                length = min(int(value), _HEAD_LIMIT)
    while len(body) < length:
        body += await stream.receive(READ_SIZE)
    return body
