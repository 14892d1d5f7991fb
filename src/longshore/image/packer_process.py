"""A large layer of the engine's store, read and packed by a process of its own.

Reading a hundred thousand small files is half a million system calls; made in a thread of this
process each would hand the interpreter's lock to and fro with the threads that pack and the loop
that sends. And what has just been read is hashed and packed fastest on the core that read it. So
all of it is done elsewhere (`longshore.image.packer`), and only the blob comes here, by a pipe.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

from anyio import wait_readable

from longshore.errors import ContentMismatch, EngineError, LongshoreError, NotFound
from longshore.image.allocation import keep_freed_memory
from longshore.image.compressed import CompressedLayer, NoProcess
from longshore.image.compression import CompressionOptions
from longshore.image.cores import usable_cores
from longshore.image.layer import Block
from longshore.image.packer import FRAME, Kind
from longshore.image.packing import Packed, check_diff_id
from longshore.oci.digest import Digest

_PROGRAM: Final = "longshore.image.packer"
_PIPE: Final = 1 << 20
_HELPERS: Final = 6
"""Threads that help those that read, in all packing processes together: each has 8 MiB in hand,
and a push of any image stays below 300 MB on any number of cores."""
_KILLED_HINT: Final = "most likely for want of memory: a push needs 300 MB"
_DAMAGED_HINT: Final = "the image was changed in the engine's store; build or pull it again"


class PackedApart(CompressedLayer):
    """The blob of the layer `diff_id` as it comes from the process that packs it."""

    def __init__(self, process: subprocess.Popen[bytes], diff_id: Digest) -> None:
        super().__init__()
        assert process.stdout is not None
        self._process, self._pipe = process, process.stdout
        self._diff_id = diff_id
        self._over = False

    async def __anext__(self) -> Block:
        # A frame at a time, which is a segment: pieces of it would take a turn of the loop each.
        while not self._over:
            number, length = FRAME.unpack(await self._exactly(FRAME.size))
            content = await self._exactly(length)
            if (chunk := self._taken(Kind(number), content)) is not None:
                return chunk
        raise StopAsyncIteration

    def _taken(self, kind: Kind, content: bytearray) -> Block | None:
        match kind:
            case Kind.CHUNK:
                return content
            case Kind.LAST:
                self._over = True
                return content or None
            case Kind.PACKED:
                self._packed = self._read(content)
                return None
            case _:
                raise _failure(kind, content.decode(errors="replace"))

    def _read(self, content: bytearray) -> Packed:
        found = json.loads(content)
        diff_id = Digest.parse(found["diff_id"])
        check_diff_id(diff_id, self._diff_id, "engine's store")
        return Packed(
            digest=Digest.parse(found["digest"]),
            size=found["size"],
            diff_id=diff_id,
        )

    async def _exactly(self, length: int) -> bytearray:
        content = bytearray(length)
        rest = memoryview(content)
        while rest:
            try:
                count = os.readv(self._pipe.fileno(), [rest])
            except BlockingIOError:
                await wait_readable(self._pipe)
                continue
            if not count:
                raise _untimely(self._process)
            rest = rest[count:]
        return content


@asynccontextmanager
async def packed_apart(
    record: Path, directory: Path, diff_id: Digest, options: CompressionOptions
) -> AsyncIterator[PackedApart]:
    """Start packing; the process ends when the block is left. Raises NoProcess."""
    keep_freed_memory()
    with _helpers.lent(options.threads) as threads:
        process = _start(record, directory, options, threads)
        assert process.stdout is not None
        try:
            yield PackedApart(process, diff_id)
        finally:
            # It has nothing to lose: it only reads.
            process.kill()
            process.wait()
            process.stdout.close()


class _Helpers:
    """How many of them are lent; for one thread."""

    def __init__(self) -> None:
        self._lent = 0

    @contextmanager
    def lent(self, wanted: int | None) -> Iterator[int]:
        """Half of what is left, rounded up; one at least.

        The largest layer comes first and gets the most: layers that end at the same time would
        all wait for the registry's disk then, and no core would have anything to do.
        """
        most = min(_HELPERS, 2 * usable_cores()) - 1
        count = max(1, (most - self._lent + 1) // 2)
        count = min(count, wanted) if wanted else count
        self._lent += count
        try:
            yield count
        finally:
            self._lent -= count


_helpers: Final = _Helpers()


def _start(
    record: Path, directory: Path, options: CompressionOptions, threads: int
) -> subprocess.Popen[bytes]:
    level = "" if options.level is None else str(options.level)
    arguments = [str(record), str(directory), options.compression.value, level, str(threads)]
    try:
        process = subprocess.Popen(
            # -P: a module in the user's project must not be taken for one of Python's.
            [sys.executable, "-P", "-m", _PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Out of the reach of Ctrl-C at the terminal: we end it.
            process_group=0,
            bufsize=0,
        )
    except OSError as exc:
        raise NoProcess(f"a process to pack a layer cannot be started: {exc.strerror}") from exc
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    _widen(pipe)
    return process


def _widen(pipe: int) -> None:
    """Room for a whole segment; an unprivileged user's pipes may have no more pages to give."""
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    except OSError:
        return


def _untimely(process: subprocess.Popen[bytes]) -> EngineError:
    """Its pipe is at the end, so it has ended, or is about to."""
    what = "the process that packs a layer"
    with suppress(subprocess.TimeoutExpired):
        if process.wait(1) == -signal.SIGKILL:
            return EngineError(f"{what} was killed", hint=_KILLED_HINT)
    return EngineError(f"{what} ended before its time")


def _failure(kind: Kind, message: str) -> LongshoreError:
    if kind is Kind.DAMAGED:
        return ContentMismatch(message, hint=_DAMAGED_HINT)
    return NotFound(message)
