"""What the contract suite of the registry client needs of a registry under test.

`tests/contract/registry` runs on every bench: on the development registry, and on distribution
2.8 (Debian's ``docker-registry``).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

import anyio.lowlevel
from msgspec import Struct, field

from longshore.registry.server.disk import DiskStorage
from longshore.registry.transport.retry import Clock
from longshore.testing.faults import read_only
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import BasicAuth, TokenAuth
from longshore.testing.registry_process import Settings, certificates, run_registry
from longshore.testing.registry_tokens import token_server


class Wanted(Struct, frozen=True, kw_only=True):
    """What a registry shall be like: open, writable and over plain HTTP unless told otherwise.

    `auth` says who may do what (BasicAuth: as htpasswd does it). `data` is the directory it keeps
    everything in, by default one of its own.
    """

    auth: BasicAuth | TokenAuth | None = None
    tls: bool = False
    read_only: bool = False
    data: Path | None = None


class Standing(Struct, frozen=True, kw_only=True):
    """A registry that answers: `host` as in image names; `authority` is a PEM file with TLS."""

    url: str
    host: str
    authority: Path | None = None


class RegistryBench(Protocol):
    """Starts registries of one kind."""

    def standing(self, wanted: Wanted | None = None) -> AbstractAsyncContextManager[Standing]:
        """One that answers until the block is left; at most one of a bench at a time."""
        ...


class OurBench(Struct, frozen=True):
    """The development registry on disk, with files below `folder`."""

    folder: Path

    @asynccontextmanager
    async def standing(self, wanted: Wanted | None = None) -> AsyncIterator[Standing]:
        """See `RegistryBench`."""
        wanted = wanted or Wanted()
        authority = certificates(self.folder) if wanted.tls else None
        async with faulty_registry(
            plan=read_only() if wanted.read_only else None,
            auth=wanted.auth,
            storage=DiskStorage.open(wanted.data or self.folder / "data"),
            tls=_context(self.folder) if wanted.tls else None,
        ) as running:
            yield Standing(url=running.url, host=running.host, authority=authority)


class RealBench(Struct, frozen=True):
    """distribution 2.8 as a process, with files below `folder`."""

    folder: Path

    @asynccontextmanager
    async def standing(self, wanted: Wanted | None = None) -> AsyncIterator[Standing]:
        """See `RegistryBench`."""
        wanted = wanted or Wanted()
        async with AsyncExitStack() as stack:
            extra: dict[str, object] = {}
            if isinstance(wanted.auth, TokenAuth):
                tokens = token_server(wanted.auth, self.folder)
                extra = {"auth": await stack.enter_async_context(tokens)}
            settings = Settings(
                users=wanted.auth.users if isinstance(wanted.auth, BasicAuth) else None,
                tls=wanted.tls,
                read_only=wanted.read_only,
                data=wanted.data,
                extra=extra,
            )
            running = stack.enter_context(run_registry(self.folder, settings))
            yield Standing(url=running.url, host=running.host, authority=running.authority)


class FreeTime(Struct, frozen=True):
    """A clock on which waiting takes no time; `waits` are the seconds that were waited.

    Chance always draws its upper end. Append to `waits` and time has gone by.
    """

    waits: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        """The clock of a client."""
        return Clock(
            now=self._now, wall=self._now, sleep=self._sleep, chance=lambda _, ceiling: ceiling
        )

    def _now(self) -> float:
        return 1000.0 + sum(self.waits)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await anyio.lowlevel.checkpoint()


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context
