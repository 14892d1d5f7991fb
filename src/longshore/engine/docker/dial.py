"""From an endpoint to something that can be connected to, for requests and for raw streams."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream
from msgspec import Struct

from longshore.engine.docker.errors import dialling, translated
from longshore.engine.docker.unix_stream import connect_unix
from longshore.engine.endpoint import Endpoint, TlsFiles
from longshore.errors import EngineUnavailable

CONNECT_SECONDS = 20.0
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Address(Struct, frozen=True, kw_only=True):
    """Where to connect: a unix socket, or a host and port, with TLS or without."""

    where: str
    local: bool
    socket: str | None = None
    host: str = ""
    port: int = 0
    tls: ssl.SSLContext | None = None

    async def dial(self) -> ByteStream:
        """A fresh raw connection."""
        with dialling(self.where), anyio.fail_after(CONNECT_SECONDS):
            if self.socket is not None:
                return await connect_unix(self.socket)
            plain = await anyio.connect_tcp(self.host, self.port)
            if self.tls is None:
                return plain
            from longshore.engine.docker.tls_stream import TlsStream

            return await TlsStream.over(plain, self.tls, self.host)

    async def answers(self) -> bool:
        """Whether somebody still listens there."""
        try:
            stream = await self.dial()
        except EngineUnavailable:
            return False
        await anyio.aclose_forcefully(stream)
        return True


@asynccontextmanager
async def resolved(endpoint: Endpoint) -> AsyncIterator[Address]:
    """The address behind an endpoint; an ``ssh://`` one is forwarded while the block lasts."""
    parts = urlsplit(endpoint.url)
    match parts.scheme:
        case "unix":
            yield Address(where=endpoint.url, local=True, socket=parts.path)
        case "ssh":
            from longshore.engine.docker.ssh import forward

            async with forward(endpoint.url) as socket:
                yield Address(where=endpoint.url, local=False, socket=str(socket))
        case "tcp" | "http" | "https":
            yield _network_address(endpoint)
        case _:
            raise EngineUnavailable(
                f"an engine cannot listen at {endpoint.url} (from {endpoint.origin})",
                hint="the address begins with unix://, tcp:// or ssh://",
            )


def _network_address(endpoint: Endpoint) -> Address:
    parts = urlsplit(endpoint.url)
    secure = endpoint.tls is not None or parts.scheme == "https"
    with translated(endpoint.url):
        port = parts.port or (2376 if secure else 2375)
        tls = _readable_tls(endpoint) if secure else None
    host = parts.hostname or "localhost"
    return Address(where=endpoint.url, local=host in _LOCAL_HOSTS, host=host, port=port, tls=tls)


def _readable_tls(endpoint: Endpoint) -> ssl.SSLContext:
    try:
        return _tls_context(endpoint.tls or TlsFiles())
    except PermissionError as error:
        raise EngineUnavailable(
            f"the certificates for the engine at {endpoint.url} may not be read by this user",
            hint="look at the rights of ca.pem, cert.pem and key.pem",
        ) from error


def _tls_context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files.ca) if files.ca else None)
    if not files.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if files.certificate is not None:
        # Without a password OpenSSL asks the terminal for one, and everything waits for it.
        context.load_cert_chain(files.certificate, files.key, password="")
    return context
