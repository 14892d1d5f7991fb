"""TLS of which one side is closed while the other goes on."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import anyio
import anyio.to_thread
import pytest
import trustme

from longshore.engine.docker.tls_stream import TlsStream

Peer = Callable[[ssl.SSLSocket], None]


@asynccontextmanager
async def _talking_to(
    peer: Peer, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> AsyncIterator[TlsStream]:
    """Our stream; `peer` has the other end in a thread of its own."""
    authority = trustme.CA()
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.maximum_version = version
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    ours = ssl.create_default_context()
    authority.configure_trust(ours)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            accepted, _ = server.accept()
            with theirs.wrap_socket(accepted, server_side=True) as stream:
                peer(stream)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(anyio.to_thread.run_sync, serve))
            plain = await anyio.connect_tcp("127.0.0.1", server.getsockname()[1])
            async with await TlsStream.over(plain, ours, "127.0.0.1") as stream:
                yield stream


async def _rest(stream: TlsStream) -> bytes:
    return b"".join([data async for data in stream])


def _answer_after_the_end(peer: ssl.SSLSocket) -> None:
    received = b""
    while data := peer.recv(1 << 16):
        received += data
    peer.sendall(b"%d bytes came" % len(received))
    peer.sendall(b"." * 1_000_000)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_end_of_what_is_sent_arrives_and_the_answer_still_comes(
    version: ssl.TLSVersion,
) -> None:
    async with _talking_to(_answer_after_the_end, version) as stream:
        await stream.send(b"x" * 500_000)
        await stream.send_eof()
        assert await _rest(stream) == b"500000 bytes came" + b"." * 1_000_000


def _speak_first(peer: ssl.SSLSocket) -> None:
    peer.sendall(b"1" * 50_000)
    peer.sendall(b"2" * 50_000)
    while peer.recv(1 << 16):
        pass
    peer.sendall(b"3")


async def test_what_had_come_before_the_end_is_not_lost() -> None:
    async with _talking_to(_speak_first) as stream:
        first = await stream.receive(10)
        await stream.send_eof()
        assert first + await _rest(stream) == b"1" * 50_000 + b"2" * 50_000 + b"3"


async def test_a_task_that_receives_already_goes_on_after_the_end() -> None:
    received: list[bytes] = []
    async with _talking_to(_answer_after_the_end) as stream, anyio.create_task_group() as tasks:

        async def receive() -> None:
            received.append(await _rest(stream))

        tasks.start_soon(receive)
        await anyio.wait_all_tasks_blocked()
        await stream.send(b"x")
        await stream.send_eof()
    assert received == [b"1 bytes came" + b"." * 1_000_000]


def _drop(peer: ssl.SSLSocket) -> None:
    peer.sendall(b"last words")


async def test_a_peer_that_drops_the_connection_has_ended_it() -> None:
    async with _talking_to(_drop) as stream:
        assert await _rest(stream) == b"last words"
