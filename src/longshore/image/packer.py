"""The program of the packing process: reads a layer from the engine's store and packs it.

Started as ``python -m longshore.image.packer RECORD DIRECTORY COMPRESSION LEVEL THREADS``, with an
empty LEVEL for none; writes frames to standard output (see `Kind`). Ends when its layer or its
reader does.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from enum import IntEnum
from threading import Event, Thread
from typing import Final

from longshore.errors import ContentMismatch, LongshoreError
from longshore.image.allocation import keep_freed_memory
from longshore.image.compression import CompressionOptions
from longshore.image.layer import BLOCK, Block
from longshore.image.packing import Packing
from longshore.image.reassembly import reassemble
from longshore.oci.media_types import Compression

FRAME: Final = struct.Struct("<BI")
"""Before every frame: its kind, and the bytes that follow."""

_KEPT: Final = 1
"""Segments this thread may have packed that come after one it has handed out."""


class Kind(IntEnum):
    """What a frame holds."""

    CHUNK = 0
    """The next bytes of the blob."""
    PACKED = 1
    """What was made, as JSON: known before the blob is whole, so that it can be held back."""
    LAST = 2
    """The last bytes of the blob; may be empty."""
    DAMAGED = 3
    """The text of a ContentMismatch."""
    GONE = 4
    """The text of a NotFound."""


class _Buffers:
    """Memory for segments, used again and again: fresh memory costs a tenth of packing it."""

    def __init__(self) -> None:
        self._free: list[memoryview] = []

    def take(self) -> memoryview:
        try:
            return self._free.pop()
        except IndexError:
            return memoryview(bytearray(BLOCK))

    def give_back(self, block: Block) -> None:
        if isinstance(block, memoryview) and len(block) == BLOCK:
            self._free.append(block)


def pack(
    record: str, directory: str, options: CompressionOptions
) -> Generator[tuple[Kind, Block], None, None]:
    """The frames of a layer. Raises what `reassemble` and the codec raise.

    This thread reads, measures what it has just read, and hands it to the others as long as they
    are hungry; what they do not take it packs itself. But it never gets far ahead of one that the
    machine has no time for: what comes after that one's segment has to be kept.
    """
    buffers = _Buffers()
    packing = Packing(options, buffers.give_back)
    threads = _given_threads(options.threads or 1)
    hungry = threads + 1 if threads else 0
    yield Kind.CHUNK, packing.begin()
    with ThreadPoolExecutor(threads or 1) as others:
        given: deque[Future[None]] = deque()
        for block in reassemble(record, directory, buffers.take):
            segment = packing.admit(block)
            packing.measure()
            while given and (given[0].done() or packing.held > hungry + _KEPT):
                given.popleft().result()
                yield from _chunks(packing)
            if len(given) < hungry:
                given.append(others.submit(packing.visit, segment))
            else:
                packing.visit(segment)
            yield from _chunks(packing)
        for future in given:
            future.result()
            yield from _chunks(packing)
    last = packing.end()
    yield Kind.PACKED, _result(packing)
    yield Kind.LAST, last


def _given_threads(wanted: int) -> int:
    """How many of them a limit of processes leaves us; with none the caller packs alone."""
    end, begun = Event(), list[Thread]()
    try:
        for _ in range(wanted):
            thread = Thread(target=end.wait)
            thread.start()
            begun.append(thread)
    except RuntimeError:  # threading: "can't start new thread"
        return len(begun)
    finally:
        end.set()
        for thread in begun:
            thread.join()
    return wanted


def _chunks(packing: Packing) -> Iterator[tuple[Kind, Block]]:
    return ((Kind.CHUNK, chunk) for chunk in packing.taken())


def _result(packing: Packing) -> bytes:
    packed = packing.packed
    fields = {
        "diff_id": str(packed.diff_id),
        "digest": str(packed.digest),
        "size": packed.size,
    }
    return json.dumps(fields).encode()


def write_frame(output: int, kind: Kind, content: Block) -> None:
    """Write one frame to a descriptor; blocking."""
    rest = [memoryview(FRAME.pack(kind, len(content))), memoryview(content)]
    while rest:
        count = os.writev(output, rest)
        while rest and count >= len(rest[0]):
            count -= len(rest.pop(0))
        if rest:
            rest[0] = rest[0][count:]


def main(record: str, directory: str, compression: str, level: str, threads: str) -> None:
    """Pack one layer."""
    options = CompressionOptions(
        compression=Compression(compression),
        level=int(level) if level else None,
        threads=int(threads),
    )
    keep_freed_memory()
    output = sys.stdout.fileno()
    with suppress(BrokenPipeError):
        try:
            for kind, content in pack(record, directory, options):
                if content or kind is Kind.LAST:
                    write_frame(output, kind, content)
        except LongshoreError as exc:
            kind = Kind.DAMAGED if isinstance(exc, ContentMismatch) else Kind.GONE
            write_frame(output, kind, exc.message.encode())


if __name__ == "__main__":
    main(*sys.argv[1:6])
