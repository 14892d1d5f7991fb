"""A ring of buffers that a process of ours fills and this one reads, without copies between them.

Reading a hundred thousand small files is a few calls a file: in a thread of this process each call
would hand the interpreter's lock back and forth with the threads that pack and send. So it is done
by a process of its own (`longshore.image.reader`), into memory both have mapped.

The two talk over a socket pair: to the reader go numbers of free buffers, one byte each; back come
`reader.MESSAGE` records (kind, number, length). A buffer is free again when the last reference to
what was handed over is gone.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import subprocess
import sys
import weakref
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from anyio import wait_readable

from longshore.errors import ContentMismatch, EngineError, LongshoreError, NotFound
from longshore.image.layer import BLOCK, Block
from longshore.image.reader import DAMAGED, DONE, FILLED, MESSAGE, SLOTS

_READER: Final = "longshore.image.reader"
_DAMAGED_HINT: Final = "the image was changed in the engine's store; build or pull it again"


class _Ring:
    def __init__(self) -> None:
        self.talk, self.child = socket.socketpair()
        self.talk.setblocking(False)
        self.memory = os.memfd_create("longshore-layer", os.MFD_CLOEXEC)
        os.ftruncate(self.memory, SLOTS * BLOCK)
        self._map = mmap.mmap(self.memory, SLOTS * BLOCK)
        for slot in range(SLOTS):
            self._free(slot)

    def block(self, slot: int, length: int) -> memoryview:
        """What lies in a buffer; the buffer is given back when nobody holds it any more."""
        buffer = (ctypes.c_ubyte * length).from_buffer(self._map, slot * BLOCK)
        weakref.finalize(buffer, self._free, slot).atexit = False
        return memoryview(buffer)

    def _free(self, slot: int) -> None:
        # From any thread, and possibly after the stream was left.
        with suppress(OSError):
            self.talk.send(bytes((slot,)))

    def close(self) -> None:
        self.talk.close()
        self.child.close()
        os.close(self.memory)


@asynccontextmanager
async def blocks_of_process(record: Path, directory: Path) -> AsyncIterator[AsyncIterator[Block]]:
    """The tar of a layer, read by a process of its own; what it raises is raised here.

    The process ends when the stream is left.
    """
    ring = _Ring()
    try:
        process = _start(ring, record, directory)
        try:
            async with aclosing(_receive(ring)) as blocks:
                yield blocks
        finally:
            # It has nothing to lose: it only reads.
            process.kill()
            process.wait()
    finally:
        ring.close()


def _start(ring: _Ring, record: Path, directory: Path) -> subprocess.Popen[bytes]:
    passed = (ring.memory, ring.child.fileno())
    arguments = [*map(str, passed), str(record), str(directory)]
    process = subprocess.Popen(
        # -P: a module in the user's project must not be taken for one of Python's.
        [sys.executable, "-P", "-m", _READER, *arguments],
        pass_fds=passed,
        stdin=subprocess.DEVNULL,
        # Out of the reach of Ctrl-C at the terminal: we end it.
        process_group=0,
    )
    ring.child.close()
    return process


async def _receive(ring: _Ring) -> AsyncGenerator[Block, None]:
    pending = b""
    while True:
        while len(pending) < MESSAGE.size:
            pending += await _some(ring.talk)
        kind, slot, length = MESSAGE.unpack_from(pending)
        pending = pending[MESSAGE.size :]
        if kind == FILLED:
            yield ring.block(slot, length)
            continue
        while len(pending) < length:
            pending += await _some(ring.talk)
        if kind == DONE:
            return
        raise _failure(kind, pending.decode(errors="replace"))


async def _some(talk: socket.socket) -> bytes:
    while True:
        try:
            data = talk.recv(4096)
        except BlockingIOError:
            await wait_readable(talk)
            continue
        if not data:
            raise EngineError("the process that reads the engine's store ended before its time")
        return data


def _failure(kind: bytes, message: str) -> LongshoreError:
    return ContentMismatch(message, hint=_DAMAGED_HINT) if kind == DAMAGED else NotFound(message)
