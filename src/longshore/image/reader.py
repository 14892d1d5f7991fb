"""The program of the reading process: fills the ring with one layer's tar (see `ring`).

Started as ``python -m longshore.image.reader MEMORY SOCKET RECORD DIRECTORY``, the first two being
inherited descriptors. Ends when its layer or its parent does.
"""

from __future__ import annotations

import mmap
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from longshore.errors import ContentMismatch, LongshoreError
from longshore.image.layer import BLOCK
from longshore.image.reassembly import reassemble

SLOTS: Final = 16
"""Buffers of BLOCK bytes in the ring: what a pipeline holds at once on two cores, and as many."""

MESSAGE: Final = struct.Struct("<cBI")
"""What the parent is told: kind; for FILLED number and length of a buffer, else length of a text
that follows."""

FILLED: Final = b"f"
DONE: Final = b"d"
DAMAGED: Final = b"m"
GONE: Final = b"g"


class _Ring:
    def __init__(self, memory: int, talk: socket.socket) -> None:
        self._memory = memoryview(mmap.mmap(memory, SLOTS * BLOCK))
        self._talk = talk
        self._slot = 0

    def take(self) -> memoryview:
        """Wait for a free buffer; ends the process when the parent is gone."""
        number = self._talk.recv(1)
        if not number:
            raise SystemExit(0)
        self._slot = number[0]
        return self._memory[self._slot * BLOCK : (self._slot + 1) * BLOCK]

    def give(self, length: int) -> None:
        self._talk.sendall(MESSAGE.pack(FILLED, self._slot, length))

    def end(self, kind: bytes, message: bytes = b"") -> None:
        self._talk.sendall(MESSAGE.pack(kind, 0, len(message)) + message)


def main(memory: str, talk: str, record: str, directory: str) -> None:
    """Read one layer."""
    with suppress(ConnectionError), socket.socket(fileno=int(talk)) as channel:
        ring = _Ring(int(memory), channel)
        try:
            for block in reassemble(Path(record), Path(directory), ring.take):
                ring.give(len(block))
        except LongshoreError as exc:
            ring.end(DAMAGED if isinstance(exc, ContentMismatch) else GONE, exc.message.encode())
        else:
            ring.end(DONE)


if __name__ == "__main__":
    main(*sys.argv[1:5])
