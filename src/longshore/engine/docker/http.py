"""HTTP/1.1 on raw connections to one engine, with h11 for the protocol.

The engine's API needs one connection a request and nothing of a browser. Against a full HTTP
client this saves 0.15 s of start-up, and a hijacked connection (`attach`) is dialled the same way.
"""

from __future__ import annotations

import re
import select
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import h11
from anyio.abc import ByteStream, SocketAttribute
from msgspec import Struct, field

from longshore.engine.docker.dial import Address

READ_SIZE: Final = 1 << 18
_HEAD_LIMIT: Final = 1 << 20

_KEPT_SECONDS: Final = 10.0
_REPEATABLE: Final = frozenset({"GET", "HEAD", "DELETE"})

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] \d{3}[ \r\n]")
_SHORTEST: Final = b"HTTP/1.1 200\r"

Body = bytes | AsyncIterator[bytes] | None


class Wire(Struct):
    """A connection and where its protocol stands."""

    stream: ByteStream
    protocol: h11.Connection = field(
        default_factory=lambda: h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
    )
    used: bool = False
    idle_since: float = 0.0

    @property
    def has_ended(self) -> bool:
        """Whether the other side has closed it, or speaks without being asked."""
        attributes: Mapping[Any, Callable[[], Any]] = self.stream.extra_attributes
        poll = select.poll()
        poll.register(attributes[SocketAttribute.raw_socket]().fileno(), select.POLLIN)
        return bool(poll.poll(0))

    async def send(self, event: h11.Event) -> None:
        """Send one event of the protocol."""
        data = self.protocol.send(event)
        if data:
            await self.stream.send(data)

    async def receive(self) -> h11.Event | type[h11.PAUSED]:
        """The next event; EndOfStream when the other side breaks off in the middle of one.

        Raises h11.RemoteProtocolError for what is no HTTP.
        """
        while (event := self.protocol.next_event()) is h11.NEED_DATA:
            if self.protocol.their_state is h11.SEND_RESPONSE:
                check_beginning(self.protocol.trailing_data[0])
            try:
                self.protocol.receive_data(await self.stream.receive(READ_SIZE))
            except anyio.EndOfStream:
                return self._at_end()
        return event  # type: ignore[return-value]  # NEED_DATA was excluded by the loop

    def _at_end(self) -> h11.Event | type[h11.PAUSED]:
        """What the end of the connection means: the end of a body, or a break."""
        try:
            self.protocol.receive_data(b"")
            event = self.protocol.next_event()
        except h11.RemoteProtocolError as broken:
            raise anyio.EndOfStream from broken
        if isinstance(event, h11.EndOfMessage):
            return event
        raise anyio.EndOfStream

    async def close(self) -> None:
        """Break the connection off, also when cancelled."""
        with anyio.CancelScope(shield=True):
            await anyio.aclose_forcefully(self.stream)


def check_beginning(answer: bytes) -> None:
    """Raise h11.RemoteProtocolError for what will be no answer, however it goes on.

    Who sends it may wait for us to speak, as SSH's server does, and a head without end is waited
    for until it has one.
    """
    if not _STATUS_LINE.match(answer[: len(_SHORTEST)] + _SHORTEST[len(answer) :]):
        raise h11.RemoteProtocolError(f"its answer begins with {answer[:20]!r}")


class Response:
    """An answer whose head has arrived."""

    def __init__(self, wire: Wire, head: h11.Response) -> None:
        self._wire = wire
        self.status = head.status_code
        self.headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body in the sizes it comes in."""
        while isinstance(event := await self._wire.receive(), h11.Data):
            yield bytes(event.data)

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([chunk async for chunk in self.chunks()])


class Pool:
    """Connections to one engine; without a limit, for 200 waiting requests must not block one."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[Wire] = []

    async def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def request(
        self, method: str, target: str, headers: Mapping[str, str], body: Body
    ) -> AsyncIterator[Response]:
        """Send a request; leaving the block before the body's end closes the connection.

        Raises what anyio, h11 and the operating system raise.
        """
        wire, response = await self._answered(method, target, headers, body)
        try:
            yield response
        finally:
            await self._give_back(wire)

    async def _answered(
        self, method: str, target: str, headers: Mapping[str, str], body: Body
    ) -> tuple[Wire, Response]:
        """The head of the answer. A kept connection may be closed by the engine in the moment it is
        used; what changes nothing, or nothing more the second time, then takes another one."""
        while True:
            wire = await self._kept() if body is None or isinstance(body, bytes) else None
            wire = wire or Wire(await self._address.dial())
            try:
                return wire, await _exchange(wire, method, target, headers, body)
            except (anyio.BrokenResourceError, anyio.EndOfStream, OSError):
                stale = wire.used and method in _REPEATABLE
                await wire.close()
                if not stale:
                    raise
            except BaseException:
                await wire.close()
                raise

    async def _kept(self) -> Wire | None:
        """A connection that was used before; old ones are closed, for what stands between may have
        dropped them silently, and those that the engine has closed."""
        while self._idle:
            wire = self._idle.pop()
            if anyio.current_time() - wire.idle_since < _KEPT_SECONDS and not wire.has_ended:
                return wire
            await wire.close()
        return None

    async def _give_back(self, wire: Wire) -> None:
        protocol = wire.protocol
        if protocol.our_state is h11.DONE and protocol.their_state is h11.DONE:
            protocol.start_next_cycle()
            wire.used, wire.idle_since = True, anyio.current_time()
            self._idle.append(wire)
        else:
            await wire.close()


async def _exchange(
    wire: Wire, method: str, target: str, headers: Mapping[str, str], body: Body
) -> Response:
    framing = {"Transfer-Encoding": "chunked"} if isinstance(body, AsyncIterator) else {}
    if isinstance(body, bytes) or method == "POST":
        framing = framing or {"Content-Length": str(len(body or b""))}  # type: ignore[arg-type]  # bytes or None here
    fields = [("Host", "engine"), *headers.items(), *framing.items()]
    await wire.send(h11.Request(method=method, target=target, headers=fields))
    try:
        await _send_body(wire, body)
    except (anyio.BrokenResourceError, OSError):
        # An engine that refuses a request may answer and close before it has read all of it.
        wire.protocol.send_failed()
    while not isinstance(head := await wire.receive(), h11.Response):
        if not isinstance(head, h11.InformationalResponse):
            raise h11.RemoteProtocolError("no answer came")
    return Response(wire, head)


async def _send_body(wire: Wire, body: Body) -> None:
    if isinstance(body, bytes):
        await wire.send(h11.Data(data=body))
    elif body is not None:
        async for block in body:
            await wire.send(h11.Data(data=block))
    await wire.send(h11.EndOfMessage())
