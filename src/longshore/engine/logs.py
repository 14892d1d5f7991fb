"""Takes apart the engine's mixed stream of a container's stdout and stderr; pure.

The stream is frames of an 8 byte header and a payload (Engine API, "Stream format"): one byte of
stream (0 stdin, 1 stdout, 2 stderr, 3 the engine's own error), three zero bytes, and the payload's
length as 4 bytes in network order.
"""

from __future__ import annotations

import struct

from longshore.engine.spec import OutputChunk
from longshore.errors import EngineError

_HEADER = struct.Struct(">BxxxI")
_HEADER_SIZE = _HEADER.size
_unpack = _HEADER.unpack_from
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
        view, end, position = memoryview(data), len(data), 0
        chunks: list[OutputChunk] = []
        together: list[memoryview] = []
        left, stream = self._left, self._stream
        # One flat loop: a container that prints short lines makes millions of frames.
        while position < end:
            if not left:
                if end - position < _HEADER_SIZE:
                    self._header = data[position:]
                    break
                number, left = _unpack(data, position)
                position += _HEADER_SIZE
                if number != stream:
                    self._join(stream, together, chunks)
                    together, stream = [], _known(number)
                if not left or position == end:
                    continue
            part = view[position : position + left]
            position += len(part)
            left -= len(part)
            together.append(part)
        self._left, self._stream = left, stream
        self._join(stream, together, chunks)
        return chunks

    def _join(self, stream: int, parts: list[memoryview], chunks: list[OutputChunk]) -> None:
        """Make neighbours of one stream a chunk."""
        if not parts:
            return
        if stream == _ENGINE_ERROR:
            self._trouble += b"".join(parts)
        else:
            chunks.append(OutputChunk(stream=stream or 1, data=b"".join(parts)))

    def finish(self) -> None:
        """The stream has ended; raises `EngineError` when that was not between two frames."""
        if self._trouble:
            said = self._trouble.decode(errors="replace").strip()
            raise EngineError(f"the engine says about the container's output: {said}")
        if self._left or self._header:
            raise EngineError(
                "the container's output was cut off: the engine ended the connection in the middle",
                hint="part of the output is missing; look at the engine's own log",
            )


def _known(number: int) -> int:
    if number > _ENGINE_ERROR:
        raise EngineError(
            f"the container's output is no stream of frames: unknown stream {number}",
            hint="does something between longshore and the engine change the connection?",
        )
    return number
