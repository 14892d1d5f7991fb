"""Container output cut into whole lines (spec C-28).

Works on blocks, not on lines: a block without carriage returns is passed on as it is, which keeps
a flood at memory speed.
"""

from __future__ import annotations

from msgspec import Struct, field

LONGEST_LINE = 64 * 1024
"""A line longer than this is cut, so that output without newlines cannot grow without bound."""


class LineBuffer(Struct):
    """Holds back an unfinished line. What `feed` and `flush` return always ends with a newline."""

    _held: bytearray = field(default_factory=bytearray)

    @property
    def holds(self) -> bool:
        """Whether an unfinished line is held back."""
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """The whole lines that are finished now; may be empty."""
        end = data.rfind(b"\n") + 1
        if end == 0:
            self._held += data
            return self.flush() if len(self._held) > LONGEST_LINE else b""
        finished = bytes(self._held) + data[:end] if self._held else data[:end]
        self._held[:] = data[end:]
        return _shown(finished)

    def flush(self) -> bytes:
        """The unfinished line, ended by a newline; empty when there is none."""
        held = bytes(self._held)
        self._held.clear()
        return _shown(held + b"\n") if held else b""


def _shown(lines: bytes) -> bytes:
    r"""``\r`` overwrites what stands before it on its line, as on a terminal."""
    if b"\r" not in lines:
        return lines
    return b"".join(_last_writing(line) + b"\n" for line in lines[:-1].split(b"\n"))


def _last_writing(line: bytes) -> bytes:
    return line.rstrip(b"\r").rpartition(b"\r")[2]
