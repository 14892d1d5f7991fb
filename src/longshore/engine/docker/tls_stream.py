"""TLS whose sending side can be closed alone, as the end of a container's input needs.

anyio's stream and Python's sockets close both sides at once. In the protocol each side closes its
own with a ``close_notify`` (RFC 8446, 6.1), and Go's servers, the engine among them, go on writing
after they have got one, as the ``docker`` command relies on.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import ByteStream

_BLOCK = 1 << 16


@dataclass(slots=True, eq=False)
class TlsStream(ByteStream):
    """See anyio's ByteStream; one task may receive while another sends.

    A peer that drops the connection without ``close_notify`` has ended it all the same: the
    protocols above know where their messages end.
    """

    transport: ByteStream
    _tls: ssl.SSLObject
    _incoming: ssl.MemoryBIO
    _outgoing: ssl.MemoryBIO
    _decrypted: bytearray = field(default_factory=bytearray)
    _sending: anyio.Lock = field(default_factory=anyio.Lock)

    @staticmethod
    async def over(transport: ByteStream, context: ssl.SSLContext, host: str) -> TlsStream:
        """Shake hands with `host`; raises ssl.SSLError, and closes `transport` when it fails."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
        stream = TlsStream(transport, tls, incoming, outgoing)
        try:
            await stream._shake_hands()
        except BaseException:
            await anyio.aclose_forcefully(transport)
            raise
        return stream

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """Those of the stream below."""
        return self.transport.extra_attributes

    async def receive(self, max_bytes: int = _BLOCK) -> bytes:
        """At least one byte; EndOfStream when the other side has closed."""
        while not self._decrypted:
            try:
                data = self._tls.read(max_bytes)
            except ssl.SSLWantReadError:
                await self._more()
                continue
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                data = b""
            if not data:
                raise anyio.EndOfStream
            return data
        data = bytes(self._decrypted[:max_bytes])
        del self._decrypted[:max_bytes]
        return data

    async def send(self, item: bytes) -> None:
        """All of `item`."""
        self._tls.write(item)
        await self._flush()

    async def send_eof(self) -> None:
        """No more will be sent; receiving goes on."""
        self._decrypt_what_came()
        with suppress(ssl.SSLWantReadError):  # it wants their close_notify: `receive` meets it
            self._tls.unwrap()
        await self._flush()

    async def aclose(self) -> None:
        """Close the connection."""
        await self.transport.aclose()

    async def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._more()
            else:
                await self._flush()
                return

    def _decrypt_what_came(self) -> None:
        """OpenSSL takes data it has not given out yet for a breach once we have closed our side."""
        try:
            while data := self._tls.read(_BLOCK):
                self._decrypted += data
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return

    async def _more(self) -> None:
        await self._flush()
        try:
            self._incoming.write(await self.transport.receive(_BLOCK))
        except anyio.EndOfStream:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        async with self._sending:
            if self._outgoing.pending:
                await self.transport.send(self._outgoing.read())
