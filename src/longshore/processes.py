"""Programs that we start: run to their end, and gone when whoever waits for them is cancelled.

asyncio waits for its children itself, but its own ways to signal one, or to close what leads to
it, look whether it has ended as well. Whoever looks second finds an "Unknown child process" and
says so on standard error (gh-87744). Hence signals go to the process id here, opening is not
broken off, and nothing is closed before the end.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from subprocess import DEVNULL, PIPE, CompletedProcess
from typing import IO

import anyio
from anyio.abc import ByteReceiveStream, Process

Stream = int | IO[bytes]


async def run(
    command: Sequence[str],
    *,
    stdin: Stream = DEVNULL,
    stdout: Stream = PIPE,
    stderr: Stream = PIPE,
    env: Mapping[str, str] | None = None,
    start_new_session: bool = False,
) -> CompletedProcess[bytes]:
    """The end of a program, with what it wrote into pipes; it is killed by a cancellation.

    Raises OSError when it cannot be started.
    """
    process = await opened(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=env,
        start_new_session=start_new_session,
    )
    out, err = BytesIO(), BytesIO()
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_read, process.stdout, out)
            group.start_soon(_read, process.stderr, err)
            code = await process.wait()
    finally:
        await killed(process)
    return CompletedProcess(command, code, out.getvalue(), err.getvalue())


async def opened(
    command: Sequence[str],
    *,
    stdin: Stream = DEVNULL,
    stdout: Stream = PIPE,
    stderr: Stream = PIPE,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    start_new_session: bool = False,
) -> Process:
    """A program that runs; `killed` is its end, however the caller comes to his.

    Raises OSError when it cannot be started.
    """
    with anyio.CancelScope(shield=True):  # it takes no time
        process = await anyio.open_process(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=env,
            start_new_session=start_new_session,
        )
    return process  # noqa: RET504  # inside the block mypy takes the scope for one that swallows


async def killed(process: Process) -> None:
    """Return when a program has ended, by force where it runs still."""
    send(process, signal.SIGKILL)
    with anyio.CancelScope(shield=True):
        await process.wait()
        await process.aclose()


def send(process: Process, number: signal.Signals) -> None:
    """Signal a program, unless it has ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


async def _read(stream: ByteReceiveStream | None, into: BytesIO) -> None:
    if stream is not None:
        async for part in stream:
            into.write(part)
