"""The registry on a port."""

from __future__ import annotations

import errno
import ipaddress
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from msgspec import Struct

from longshore.errors import UsageError
from longshore.registry.server.app import create_app
from longshore.registry.server.storage import Storage

_READ_BUFFER: Final = 1 << 20
"""Bytes of a body that may wait while earlier ones are hashed; aiohttp lets twice that wait."""


class RunningRegistry(Struct, frozen=True, kw_only=True):
    """Where it answers: `url` with its scheme, `host` as in image names (``127.0.0.1:5000``)."""

    url: str
    host: str


@asynccontextmanager
async def serve(
    storage: Storage, *, host: str = "127.0.0.1", port: int = 0, allow_remote: bool = False
) -> AsyncIterator[RunningRegistry]:
    """The registry, until the block is left; port 0 takes a free one.

    There is no authentication, so `host` has to be a loopback address (UsageError) unless
    `allow_remote` says that everybody may push. A port in use and an address of another machine
    raise UsageError too.
    """
    if not allow_remote and not _is_loopback(host):
        raise UsageError(
            f"the registry would answer anybody who reaches {host}, without a password",
            hint="use 127.0.0.1, or allow it with --allow-remote",
        )
    async with serve_app(create_app(storage), host=host, port=port) as running:
        yield running


@asynccontextmanager
async def serve_app(
    app: web.Application,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[RunningRegistry]:
    """Any application made by `create_app`; requests under way at the end get no time."""
    runner = web.AppRunner(
        app,
        access_log=None,
        read_bufsize=_READ_BUFFER,
        auto_decompress=False,
        shutdown_timeout=0.1,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port, ssl_context=tls).start()
        except OSError as exc:
            raise _cannot_listen(host, port, exc) from exc
        yield _running(runner, host, "https" if tls else "http")
    finally:
        await runner.cleanup()


def _running(runner: web.AppRunner, host: str, scheme: str) -> RunningRegistry:
    name = f"[{host}]" if ":" in host else host
    address = f"{name}:{runner.addresses[0][1]}"
    return RunningRegistry(url=f"{scheme}://{address}", host=address)


def _cannot_listen(host: str, port: int, error: OSError) -> UsageError:
    # asyncio's own words name the address again, and since Python 3.13 those for an address that
    # is not ours have neither a number nor a text of the system.
    if error.errno in (errno.EADDRINUSE, errno.EACCES):
        return UsageError(
            f"the registry cannot listen on {host} port {port}: {os.strerror(error.errno)}",
            hint="take another port, or 0 for any free one",
        )
    return UsageError(
        f"the registry cannot listen on {host}: it is no address of this machine",
        hint="take 127.0.0.1, or 0.0.0.0 for all addresses of this machine",
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
