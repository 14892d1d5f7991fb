"""A line of TCP to a server that fails: what lies between a client and a registry.

::

    async with faulty_line("127.0.0.1:5000", lambda: CutRequests(after=70_000)) as line:
        ...                       # talk to line.host instead of 127.0.0.1:5000
        line.requests             # bytes of the requests, one entry a connection

It knows little of HTTP: what breaks, breaks at any byte.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio
import anyio.to_thread
from anyio.abc import SocketAttribute, SocketStream
from msgspec import Struct, field

_PIECE: Final = 1 << 16
_FAREWELL: Final = 1.0
_DIGEST: Final = re.compile(rb"(Docker-Content-Digest: sha256:)[0-9a-f]{4}")


class CutRequests(Struct, frozen=True, kw_only=True):
    """After `after` bytes of requests the connection ends: with `answer`, or by a reset."""

    after: int
    answer: bytes | None = None


class CutAnswers(Struct, frozen=True, kw_only=True):
    """After `after` bytes of answers the connection ends: by a reset, or as if that were all."""

    after: int
    reset: bool = True


class LimitBodies(Struct, frozen=True, kw_only=True):
    """More than `limit` bytes without an answer between them are answered with `answer`."""

    limit: int
    answer: bytes


class DripAnswers(Struct, frozen=True, kw_only=True):
    """Answers come `size` bytes at a time, with `pause` seconds between."""

    size: int
    pause: float


class DripRequests(Struct, frozen=True, kw_only=True):
    """The server gets requests `size` bytes at a time, with `pause` seconds between."""

    size: int
    pause: float


class Meddle(Struct, frozen=True, kw_only=True):
    """After `after` bytes of requests `work` is done behind the server's back, once."""

    after: int
    work: Callable[[], None]


class FalsifyDigests(Struct, frozen=True, kw_only=True):
    """Digests that the server tells of content are changed."""


Trouble = (
    CutRequests | CutAnswers | LimitBodies | DripAnswers | DripRequests | FalsifyDigests | Meddle
)


def http_answer(status: int, phrase: str, *headers: str) -> bytes:
    """What a proxy says for itself, in HTML."""
    page = f"<html><body><h1>{status} {phrase}</h1></body></html>\r\n"
    head = (
        f"HTTP/1.1 {status} {phrase}",
        "Content-Type: text/html",
        f"Content-Length: {len(page)}",
        "Connection: close",
        *headers,
    )
    return "\r\n".join((*head, "", page)).encode()


class FaultyLine(Struct, kw_only=True):
    """Where it listens, and what went through it towards the server."""

    host: str
    requests: list[bytearray] = field(default_factory=list)


@asynccontextmanager
async def faulty_line(
    target: str, trouble: Callable[[], Trouble | None]
) -> AsyncIterator[FaultyLine]:
    """A line to `target` (host:port) on a free port of 127.0.0.1, until the block is left.

    `trouble` is asked once for each connection; None lets it live.
    """
    name, _, port = target.rpartition(":")
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    own = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
    line = FaultyLine(host=f"127.0.0.1:{own}")

    async def serve(client: SocketStream) -> None:
        seen = bytearray()
        line.requests.append(seen)
        with suppress(OSError):
            async with client, await anyio.connect_tcp(name, int(port)) as server:
                await _Connection(client, server, trouble(), seen).run()

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield line
        tasks.cancel_scope.cancel()


class _Connection:
    """Two copiers; the first that ends takes the other one along."""

    def __init__(
        self, client: SocketStream, server: SocketStream, trouble: Trouble | None, seen: bytearray
    ) -> None:
        self._client = client
        self._server = server
        self._trouble = trouble
        self._seen = seen
        self._unanswered = 0
        self._answered = 0
        self._last_words = b""

    async def run(self) -> None:
        async with anyio.create_task_group() as both:
            both.start_soon(self._whole, self._copy_requests, both.cancel_scope)
            both.start_soon(self._whole, self._copy_answers, both.cancel_scope)
        if self._last_words:
            await self._say()

    async def _whole(self, copy: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            await copy()
        scope.cancel()

    async def _copy_requests(self) -> None:
        while True:
            data = await self._client.receive(_PIECE)
            self._unanswered += len(data)
            match self._trouble:
                case CutRequests(after=after, answer=answer) if len(self._seen) + len(data) > after:
                    await self._server.send(data[: after - len(self._seen)])
                    return self._end(answer)
                case LimitBodies(limit=limit, answer=answer) if self._unanswered > limit:
                    return self._end(answer)
                case Meddle(after=after, work=work) if len(self._seen) + len(data) > after:
                    self._trouble = None
                    await anyio.to_thread.run_sync(work)
            self._seen += data
            if isinstance(self._trouble, DripRequests):
                await _drip(self._server, data, self._trouble.size, self._trouble.pause)
            else:
                await self._server.send(data)

    async def _copy_answers(self) -> None:
        while True:
            data = await self._server.receive(_PIECE)
            self._unanswered = 0
            match self._trouble:
                case CutAnswers(after=after, reset=reset) if self._answered + len(data) > after:
                    await self._client.send(data[: after - self._answered])
                    return self._end(None if reset else b"")
                case DripAnswers(size=size, pause=pause):
                    await _drip(self._client, data, size, pause)
                case FalsifyDigests():
                    await self._client.send(_DIGEST.sub(rb"\g<1>0bad", data))
                case _:
                    await self._client.send(data)
            self._answered += len(data)

    def _end(self, answer: bytes | None) -> None:
        """None: by a reset; else after these last words."""
        if answer is None:
            raw = self._client.extra(SocketAttribute.raw_socket)  # noqa: S610 - anyio's
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._last_words = answer

    async def _say(self) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._client.send(self._last_words)
            await self._client.send_eof()
            # Closing with bytes unread would be a reset, which may overtake the answer.
            with anyio.move_on_after(_FAREWELL):
                while True:
                    await self._client.receive(_PIECE)


async def _drip(to: SocketStream, data: bytes, size: int, pause: float) -> None:
    for begin in range(0, len(data), size):
        await to.send(data[begin : begin + size])
        await anyio.sleep(pause)
