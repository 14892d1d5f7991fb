"""Where rendered text goes: the one place of `report` that writes."""

from __future__ import annotations

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
    data = text.encode(errors="replace") if isinstance(text, str) else text
    if data:
        stream.write(data)
        stream.flush()
