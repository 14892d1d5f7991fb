"""The stream that engines are spoken to on: it shares the event loop."""

from __future__ import annotations

import socket

import anyio
import anyio.lowlevel

from longshore.engine.docker.unix_stream import UnixStream


async def test_a_flood_leaves_signals_and_other_steps_their_turn() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.sendall(b"x" * 1000)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    with theirs:
        async with UnixStream(ours) as stream, anyio.create_task_group() as group:
            group.start_soon(others)
            for _ in range(100):
                await stream.receive(1)
            group.cancel_scope.cancel()
    assert turns >= 100
