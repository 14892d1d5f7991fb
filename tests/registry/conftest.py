"""Registries to push to: Debian's docker-registry, and a line before it that breaks."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from random import Random

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketStream

from longshore.environment import Environment
from longshore.oci.digest import Digest
from longshore.registry.blobs import BlobSource, BlobStream
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.progress import Progress
from longshore.registry.transport.exchange import Buffer
from longshore.registry.transport.retry import Clock
from longshore.secrets.credential import Credential

_PROGRAM = shutil.which("docker-registry")


class _Stream:
    """A blob of bytes in memory, in pieces."""

    def __init__(self, content: bytes, piece: int) -> None:
        self.content = content
        self.piece = piece

    @asynccontextmanager
    async def open(self) -> AsyncIterator[BlobStream]:
        # As the pipeline of images does: a task group is open while the blob is read.
        async with anyio.create_task_group():
            yield self

    async def __aiter__(self) -> AsyncIterator[Buffer]:
        for begin in range(0, len(self.content), self.piece):
            yield self.content[begin : begin + self.piece]

    @property
    def digest(self) -> Digest:
        return Digest.of(self.content)

    @property
    def size(self) -> int:
        return len(self.content)


@pytest.fixture
def stream() -> Callable[..., BlobSource]:
    """Makes sources of some bytes."""

    def make(content: bytes, piece: int = 1 << 18) -> BlobSource:
        return _Stream(content, piece)

    return make


@pytest.fixture
def some_bytes() -> Callable[..., bytes]:
    """Makes bytes that look like chance and are the same with the same seed."""

    def make(size: int, seed: int = 1) -> bytes:
        return Random(seed).randbytes(size)

    return make


@pytest.fixture
def waits() -> list[float]:
    """What would have been waited on `clock`."""
    return []


@pytest.fixture
def clock(waits: list[float]) -> Clock:
    """Time on which waiting takes no time; chance always draws its upper end."""
    start = 1000.0

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await anyio.lowlevel.checkpoint()

    def now() -> float:
        return start + sum(waits)

    return Clock(now=now, wall=now, sleep=sleep, chance=lambda _, ceiling: ceiling)


@pytest.fixture
def told() -> list[Progress]:
    """What the clients of the test told."""
    return []


@pytest.fixture
def connect(clock: Clock, told: list[Progress], tmp_path: Path) -> Callable[..., RegistryClient]:
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
def real_registry(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[str]]:
    """Starts Debian's docker-registry with further lines of configuration; gives its host."""
    if _PROGRAM is None:
        pytest.fail("docker-registry is not installed (apt install docker-registry)")
    program = _PROGRAM

    @asynccontextmanager
    async def start(more: str = "", *, http: str = "", storage: str = "") -> AsyncIterator[str]:
        port = _free_port()
        config = tmp_path / f"registry-{port}.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage:\n  filesystem: {{rootdirectory: {tmp_path / str(port)}}}\n{storage}"
            f"http:\n  addr: 127.0.0.1:{port}\n  secret: of-the-tests\n{http}{more}"
        )
        async with await anyio.open_process([program, "serve", str(config)]) as process:
            try:
                await _listening(port)
                yield f"127.0.0.1:{port}"
            finally:
                process.terminate()

    return start


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def _listening(port: int) -> None:
    with anyio.fail_after(20):
        while True:
            with suppress(OSError):
                async with await anyio.connect_tcp("127.0.0.1", port):
                    return
            await anyio.sleep(0.02)


@pytest.fixture
def breaking_line() -> Callable[..., AbstractAsyncContextManager[str]]:
    """Opens a TCP proxy before a host that resets connections; gives its own host."""
    return _breaking_line


@asynccontextmanager
async def _breaking_line(target: str, next_limit: Callable[[], int | None]) -> AsyncIterator[str]:
    """A line to `target` (host:port).

    `next_limit` says for each connection after how many bytes of requests it is reset; None lets
    it live.
    """
    name, _, port = target.partition(":")
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    address = listener.extra(anyio.abc.SocketAttribute.local_address)

    async def serve(client: SocketStream) -> None:
        limit = next_limit()
        async with (
            client,
            await anyio.connect_tcp(name, int(port)) as server,
            anyio.create_task_group() as both,
        ):
            both.start_soon(_copy, server, client, None, both.cancel_scope)
            await _copy(client, server, limit, both.cancel_scope)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield f"127.0.0.1:{address[1]}"
        tasks.cancel_scope.cancel()


async def _copy(
    source: SocketStream, sink: SocketStream, limit: int | None, scope: anyio.CancelScope
) -> None:
    """Copy until the end, or until `limit` bytes; then both directions end (with a reset)."""
    left = limit
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        while left is None or left > 0:
            data = await source.receive(65536 if left is None else min(65536, left))
            await sink.send(data)
            left = None if left is None else left - len(data)
        _reset(source)
    scope.cancel()


def _reset(stream: SocketStream) -> None:
    raw = stream.extra(anyio.abc.SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
