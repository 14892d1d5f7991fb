"""Where rendered text goes; beside the journal the one place of `report` that writes."""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from typing import BinaryIO

from msgspec import Struct, field

_LOOK_MS = 250
"""How often it is looked whether a reader is still to be waited for; signals come in between."""

_HURRIED = 2.0


@dataclass(slots=True)
class Patience:
    """Seconds a stream that does not block is waited for: for ever, until there is a hurry."""

    seconds: float = float("inf")

    def hurry(self) -> None:
        """From now on whoever reads nothing for two seconds gets no more; for signal handlers."""
        self.seconds = min(self.seconds, _HURRIED)

    def lose(self) -> None:
        """Somebody has not read: nobody is waited for any more."""
        self.seconds = 0.0


class Sink(Struct, frozen=True):
    """Standard output for what was asked for, standard error for what is said about it.

    `err_terminal`: a person reads standard error; `err_colours`: in colours.
    """

    out: BinaryIO
    err: BinaryIO
    err_terminal: bool = False
    err_colours: bool = False
    patience: Patience = field(default_factory=Patience)

    def write(self, text: str | bytes) -> None:
        """Data, to standard output, at once."""
        _write(self.out, text, self.patience)

    def tell(self, text: str | bytes) -> None:
        """A remark or an error, to standard error, at once."""
        _write(self.err, text, self.patience)


def _write(stream: BinaryIO, text: str | bytes, patience: Patience) -> None:
    rest = memoryview(text.encode(errors="replace") if isinstance(text, str) else text)
    while rest:
        try:
            # A raw stream may take a part, or None when it takes nothing now.
            taken = stream.write(rest)
        except BlockingIOError as full:
            taken = full.characters_written
        rest = rest[taken or 0 :]
        if rest and not _is_ready(stream, patience):
            return
    _flush(stream, patience)


def _flush(stream: BinaryIO, patience: Patience) -> None:
    while True:
        try:
            return stream.flush()
        except BlockingIOError:
            if not _is_ready(stream, patience):
                return None


def _is_ready(stream: BinaryIO, patience: Patience) -> bool:
    """Wait until a stream that does not block takes something again; False where none is left."""
    waiting = select.poll()
    waiting.register(stream, select.POLLOUT)
    began = time.monotonic()
    while not waiting.poll(_LOOK_MS if patience.seconds else 0):
        if time.monotonic() - began >= patience.seconds:
            patience.lose()
            return False
    return True
