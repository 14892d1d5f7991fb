"""Clients that wait without waiting, and blobs for them to send."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from aiohttp import web
from yarl import URL

from longshore.environment import Environment
from longshore.oci.digest import Digest
from longshore.registry.blobs import BlobSource
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.progress import Progress
from longshore.registry.server.routes import Kind, Route
from longshore.registry.server.storage import Storage
from longshore.registry.transport.retry import Clock
from longshore.secrets.credential import Credential
from longshore.testing.blob import BlobInPieces
from longshore.testing.faults import Fault
from longshore.testing.registry_bench import FreeTime

Connect = Callable[..., RegistryClient]
MakeStream = Callable[..., BlobSource]
MakeBytes = Callable[..., bytes]
Answer = Callable[[web.Request], web.Response | Awaitable[web.Response]]
Serve = Callable[[Answer], AbstractAsyncContextManager[str]]


class Collecting:
    """The plan of a registry whose garbage collection comes just before the first manifest.

    It takes all blobs of the repository that were sent by then: `collected`.
    """

    def __init__(self, storage: Storage, repository: str) -> None:
        self._storage = storage
        self._repository = repository
        self._sent: list[Digest] = []
        self.collected: tuple[Digest, ...] = ()

    def choose(self, method: str, route: Route, path: str) -> Fault | None:
        """See `Plan`."""
        if (method, route.kind) == ("PUT", Kind.UPLOAD):
            self._sent.append(Digest.parse(URL(path).query["digest"]))
        if (method, route.kind) == ("PUT", Kind.MANIFEST) and not self.collected:
            self.collected = tuple(self._sent)
            for digest in self.collected:
                self._storage.delete_blob(self._repository, digest)
        return None


def of(told: Sequence[Progress], kind: type[Progress]) -> list[Progress]:
    """What was told of one kind."""
    return [event for event in told if isinstance(event, kind)]


@pytest.fixture
def stream() -> MakeStream:
    """Makes sources of some bytes."""

    def make(content: bytes, piece: int = 1 << 18) -> BlobSource:
        return BlobInPieces(content, piece)

    return make


@pytest.fixture
def some_bytes() -> MakeBytes:
    """Makes bytes that look like chance and are the same with the same seed."""

    def make(size: int, seed: int = 1) -> bytes:
        return Random(seed).randbytes(size)

    return make


@pytest.fixture
def time() -> FreeTime:
    """Time on which waiting takes no time; chance always draws its upper end."""
    return FreeTime()


@pytest.fixture
def waits(time: FreeTime) -> list[float]:
    """What would have been waited on `clock`."""
    return time.waits


@pytest.fixture
def clock(time: FreeTime) -> Clock:
    """The clock of the clients."""
    return time.clock()


@pytest.fixture
def told() -> list[Progress]:
    """What the clients of the test told."""
    return []


@pytest.fixture
def connect(clock: Clock, told: list[Progress], tmp_path: Path) -> Connect:
    """Makes clients that wait on `clock` and tell `told`."""

    def make(
        host: str,
        *,
        credential: Credential | None = None,
        limits: Limits | None = None,
        insecure: Sequence[str] = (),
        authorities: Sequence[Path] = (),
        certificates: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> RegistryClient:
        return RegistryClient(
            host=host,
            access=Access(
                environment=Environment(environment or {}),
                insecure=tuple(insecure),
                authorities=tuple(authorities),
                certificates=certificates or tmp_path / "certs.d",
            ),
            credential=credential,
            limits=limits or Limits(),
            listener=told.append,
            clock=clock,
        )

    return make


@pytest.fixture
def serve() -> Serve:
    """Starts a server that answers everything but ``GET /v2/`` by a function."""

    @asynccontextmanager
    async def start(answer: Answer) -> AsyncIterator[str]:
        async def handle(request: web.Request) -> web.Response:
            await request.read()
            if request.path == "/v2/":
                return web.Response()
            found = answer(request)
            return found if isinstance(found, web.Response) else await found

        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    return start
