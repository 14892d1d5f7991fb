"""A unix socket as a byte stream that can be cancelled at any moment.

anyio's own sets the result of a future that a cancellation in the same turn of the loop has
cancelled already, and asyncio prints a traceback for it (anyio 4.16, `_RawSocketMixin`); here
dependencies' outputs are cancelled at every step's end, so that would be seen.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream, SocketAttribute


@dataclass(slots=True)
class UnixStream(ByteStream):
    """See anyio's ByteStream."""

    raw: socket.socket

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """The socket."""
        return {SocketAttribute.raw_socket: lambda: self.raw}

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """At least one byte; EndOfStream when the other side has closed.

        Others get their turn first: a flood always has more, and `sock_recv` would not wait.
        """
        await anyio.lowlevel.checkpoint()
        try:
            data = await asyncio.get_running_loop().sock_recv(self.raw, max_bytes)
        except ConnectionError as error:
            raise anyio.BrokenResourceError from error
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        """All of `item`."""
        try:
            await asyncio.get_running_loop().sock_sendall(self.raw, item)
        except ConnectionError as error:
            raise anyio.BrokenResourceError from error

    async def send_eof(self) -> None:
        """No more will be sent."""
        self.raw.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        """Close; a reader cancelled just before is taken off the loop first."""
        try:
            await anyio.lowlevel.checkpoint()
        finally:
            self.raw.close()


async def connect_unix(path: str) -> UnixStream:
    """A connection to the socket at `path`; raises OSError."""
    raw = socket.socket(socket.AF_UNIX)
    raw.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(raw, path)
    except BaseException:
        raw.close()
        raise
    return UnixStream(raw)
