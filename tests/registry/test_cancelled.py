"""Uploads that are given up leave no session behind, on Debian's docker-registry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from longshore.environment import Environment
from longshore.errors import ContentMismatch
from longshore.oci.digest import Digest
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.progress import Progress, Waiting
from longshore.testing.faults import Answer, Script, on
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_process import run_registry

from .conftest import Connect

MEBIBYTE = 1 << 20


class Endless:
    """A blob whose first part comes, and then nothing, or a failure."""

    size = 0
    digest = Digest.of(b"")

    def __init__(self, failure: Exception | None = None) -> None:
        self.began = anyio.Event()
        self._failure = failure

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Endless]:
        yield self

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number in range(8):
            yield bytes([number]) * MEBIBYTE
        self.began.set()
        if self._failure:
            raise self._failure
        await anyio.sleep_forever()


class Complete(Endless):
    """The same, and it ends."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number in range(8):
            yield bytes([number]) * MEBIBYTE


def _open_sessions(data: Path) -> list[Path]:
    """distribution 2.8 forgets empty folders of sessions that were ended."""
    return list(data.glob("**/_uploads/*/startedat"))


@pytest.mark.registry
@pytest.mark.parametrize("stretch", [4, 6, 128], ids=["between two", "in the second", "in one"])
async def test_a_cancelled_stream_is_ended_in_order_and_its_session_deleted(
    connect: Connect, tmp_path: Path, stretch: int
) -> None:
    blob, limits = Endless(), Limits(stretch=stretch * MEBIBYTE)
    with run_registry(tmp_path / "registry") as registry:
        async with (
            connect(registry.host, limits=limits) as client,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(client.upload_blob, "team/app", blob)
            await blob.began.wait()
            assert len(_open_sessions(registry.data)) == 1
            tasks.cancel_scope.cancel()
        assert _open_sessions(registry.data) == []


@pytest.mark.registry
async def test_a_source_that_fails_in_the_middle_leaves_no_session_either(
    connect: Connect, tmp_path: Path
) -> None:
    blob = Endless(ContentMismatch("it is damaged"))
    with run_registry(tmp_path / "registry") as registry:
        async with connect(registry.host) as client:
            with pytest.raises(ContentMismatch, match="it is damaged"):
                await client.upload_blob("team/app", blob)
        assert _open_sessions(registry.data) == []


async def _seconds_to_cancel(client: RegistryClient, reached: anyio.Event) -> float:
    """How long an upload takes to end that is cancelled when it has `reached` its point."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.upload_blob, "team/app", Complete())
        await reached.wait()
        began = anyio.current_time()
        tasks.cancel_scope.cancel()
    return anyio.current_time() - began


async def test_an_upload_to_a_registry_that_hangs_is_over_two_seconds_after_it_was_cancelled(
    connect: Connect,
) -> None:
    arrived, asked = anyio.Event(), bytearray()

    async def serve(line: SocketStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            await answer(line)

    async def answer(line: SocketStream) -> None:
        async with line:
            while True:
                asked.extend(await line.receive())
                heads = asked.count(b"HTTP/1.1\r\n")
                if heads == 1:
                    await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                elif heads == 2:
                    place = b"Location: /v2/team/app/blobs/uploads/one\r\n"
                    await line.send(
                        b"HTTP/1.1 202 Accepted\r\n" + place + b"Content-Length: 0\r\n\r\n"
                    )
                else:
                    arrived.set()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as server:
        server.start_soon(listener.serve, serve)
        async with connect(f"127.0.0.1:{port}") as client:
            assert await _seconds_to_cancel(client, arrived) < 2.5
        server.cancel_scope.cancel()
    assert b"DELETE" not in asked  # who has not answered the last request hears no other


async def test_an_upload_that_waits_for_its_host_is_cancelled_at_once() -> None:
    """On a clock that takes its time: the DELETE does not wait for the end of Retry-After."""
    waiting = anyio.Event()

    def hear(event: Progress) -> None:
        if isinstance(event, Waiting):
            waiting.set()

    plan = Script([on("PATCH upload", Answer(status=429, retry_after="100"))])
    access = Access(environment=Environment({}))
    async with (
        faulty_registry(plan=plan) as registry,
        RegistryClient(host=registry.host, access=access, listener=hear) as client,
    ):
        assert await _seconds_to_cancel(client, waiting) < 3
        assert len(registry.requests("DELETE")) == 1
