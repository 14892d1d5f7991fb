"""A ``docker buildx`` at work: what it reads, what it writes, and how it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import anyio
import anyio.to_thread
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from longshore.engine.docker.errors import refusal
from longshore.errors import BuildFailed, EngineUnavailable
from longshore.processes import killed, opened

_STOP_SECONDS = 3.0
"""What an interrupted build gets, as all else does from the first Ctrl-C on (C-6)."""
_LINES_KEPT = 200


async def run_to_end(
    words: list[str],
    given: bytes,
    context: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
) -> None:
    """Run to the end, `given` on its standard input; a cancelled run interrupts the build, which
    stops it in the engine too. Raises BuildFailed or EngineUnavailable, as buildx says."""
    kept: deque[str] = deque(maxlen=_LINES_KEPT)

    def line(text: str) -> None:
        kept.append(text)
        on_line(text)

    process, pipe = await _opened(words, context, environment)
    with pipe:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, _write, pipe, given)
            try:
                await _lines(process, line)
                code = await process.wait()
            finally:
                with anyio.CancelScope(shield=True):
                    await _ended(process)
    if code != 0:
        raise _failure(list(kept), code)


async def _opened(
    words: list[str], context: Path, environment: Mapping[str, str]
) -> tuple[Process, IO[bytes]]:
    """The process, and our end of its standard input.

    A pipe, where asyncio would take a socket: that cannot be opened by its name in ``/dev``.
    """
    theirs, ours = os.pipe()
    try:
        process = await opened(
            words,
            stdin=theirs,
            stderr=subprocess.STDOUT,
            cwd=context,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        os.close(ours)
        raise BuildFailed(f"docker buildx cannot be started: {error.strerror}") from error
    finally:
        os.close(theirs)
    return process, os.fdopen(ours, "wb")


def _write(pipe: IO[bytes], data: bytes) -> None:
    """All of `data`, or as much as is read, and the end."""
    with suppress(BrokenPipeError), pipe:
        pipe.write(data)


async def _lines(process: Process, line: Callable[[str], None]) -> None:
    assert process.stdout is not None
    rest = ""
    async for text in TextReceiveStream(process.stdout, errors="replace"):
        *whole, rest = (rest + text).split("\n")
        for each in whole:
            line(each.rstrip("\r"))
    if rest:
        line(rest)


async def _ended(process: Process) -> None:
    if process.returncode is None:
        _signal(process, signal.SIGINT)
        with anyio.move_on_after(_STOP_SECONDS):
            await process.wait()
    if process.returncode is None:
        _signal(process, signal.SIGKILL)
    await killed(process)


def _signal(process: Process, number: signal.Signals) -> None:
    """To docker and its plugin, as from a terminal: docker passes on what comes to it alone, but
    not before the plugin has connected, and not when it is killed."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _failure(lines: list[str], code: int) -> BuildFailed | EngineUnavailable:
    """What buildx said last; its ``ERROR:`` line is the reason."""
    said = next((text for text in reversed(lines) if text.startswith("ERROR: ")), "")
    reason = said.removeprefix("ERROR: ") or f"docker buildx ended with code {code}"
    if "Cannot connect to the Docker daemon" in reason:
        return EngineUnavailable(reason)
    found = refusal(None, reason, otherwise=BuildFailed)
    return BuildFailed(reason, hint=found.hint)
