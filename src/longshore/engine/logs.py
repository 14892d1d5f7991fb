"""Takes apart the engine's mixed stream of a container's stdout and stderr; pure.

The stream is frames of an 8 byte header and a payload (Engine API, "Stream format"): one byte of
stream (0 stdin, 1 stdout, 2 stderr, 3 the engine's own error), three zero bytes, and the payload's
length as 4 bytes in network order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from longshore.engine.spec import OutputChunk
from longshore.errors import EngineError

_HEADER = struct.Struct(">BxxxI")
_STREAMS = {0: 1, 1: 1, 2: 2}
_ENGINE_ERROR = 3


class Demultiplexer:
    """Feed it bytes as they arrive in pieces of any size; it gives chunks of one stream each.

    Payload bytes are given at once, also those of a frame that has not fully arrived; neighbouring
    frames of one stream that arrive together become one chunk. Each byte is copied once, however
    the pieces are cut. No empty chunks.
    """

    def __init__(self) -> None:
        self._header = b""
        self._stream = 1
        self._left = 0
        self._trouble = bytearray()

    def feed(self, data: bytes) -> list[OutputChunk]:
        """The chunks that `data` completes; raises `EngineError` for what is no frame."""
        if self._header:
            data = self._header + data
            self._header = b""
        chunks: list[OutputChunk] = []
        for stream, parts in _joined(self._parts(memoryview(data))):
            whole = b"".join(parts)
            if stream == _ENGINE_ERROR:
                self._trouble += whole
            else:
                chunks.append(OutputChunk(stream=stream, data=whole))
        return chunks

    def finish(self) -> None:
        """The stream has ended; raises `EngineError` when that was not between two frames."""
        if self._trouble:
            said = self._trouble.decode(errors="replace").strip()
            raise EngineError(f"the engine says about the container's output: {said}")
        if self._left or self._header:
            raise EngineError(
                "the container's output was cut off: the engine ended the connection in the middle",
                hint="Part of the output is missing. Look at the engine's own log.",
            )

    def _parts(self, data: memoryview) -> Iterator[tuple[int, memoryview]]:
        position, end = 0, len(data)
        unpack, size = _HEADER.unpack_from, _HEADER.size
        while position < end:
            if not self._left:
                if end - position < size:
                    self._header = bytes(data[position:])
                    return
                number, self._left = unpack(data, position)
                self._stream = _ENGINE_ERROR if number == _ENGINE_ERROR else _known(number)
                position += size
            part = data[position : position + self._left]
            position += len(part)
            self._left -= len(part)
            if part:
                yield self._stream, part


def _known(number: int) -> int:
    try:
        return _STREAMS[number]
    except KeyError:
        raise EngineError(
            f"the container's output is no stream of frames: unknown stream {number}",
            hint="Does something between longshore and the engine change the connection?",
        ) from None


def _joined(
    parts: Iterator[tuple[int, memoryview]],
) -> Iterator[tuple[int, list[memoryview]]]:
    """Neighbours of one stream together."""
    current, together = 0, list[memoryview]()
    for stream, part in parts:
        if stream != current and together:
            yield current, together
            together = []
        current = stream
        together.append(part)
    if together:
        yield current, together
