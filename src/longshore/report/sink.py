"""Where rendered text goes: the one place of `report` that writes."""

from __future__ import annotations

import select
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Sink:
    """Standard output for what was asked for, standard error for what is said about it.

    `err_terminal`: a person reads standard error; `err_colours`: in colours.
    """

    out: BinaryIO
    err: BinaryIO
    err_terminal: bool = False
    err_colours: bool = False

    def write(self, text: str | bytes) -> None:
        """Data, to standard output, at once."""
        _write(self.out, text)

    def tell(self, text: str | bytes) -> None:
        """A remark or an error, to standard error, at once."""
        _write(self.err, text)


def _write(stream: BinaryIO, text: str | bytes) -> None:
    rest = memoryview(text.encode(errors="replace") if isinstance(text, str) else text)
    while rest:
        try:
            # A raw stream (PYTHONUNBUFFERED) may take a part, or None when it takes nothing now.
            taken = stream.write(rest)
        except BlockingIOError as full:
            taken = full.characters_written
        rest = rest[taken or 0 :]
        if rest:
            _wait(stream)
    _flush(stream)


def _flush(stream: BinaryIO) -> None:
    while True:
        try:
            return stream.flush()
        except BlockingIOError:
            _wait(stream)


def _wait(stream: BinaryIO) -> None:
    """Until a stream that does not block (its other users made it so) takes something again."""
    waiting = select.poll()
    waiting.register(stream, select.POLLOUT)
    waiting.poll()
