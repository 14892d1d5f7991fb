"""Where rendered text goes: the one place of `report` that writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from longshore.report.console import Console
from longshore.report.json_lines import json_line
from longshore.report.legacy import LegacyLog
from longshore.run.events import Event


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


@dataclass(frozen=True, slots=True)
class ConsoleReader:
    """Shows events in jet's format."""

    console: Console
    sink: Sink

    def __call__(self, event: Event) -> None:
        """Render and write one event."""
        lines = self.console.render(event)
        if lines.out:
            self.sink.write(lines.out)
        if lines.err:
            self.sink.tell(lines.err)


@dataclass(frozen=True, slots=True)
class JsonReader:
    """Shows events as JSON lines."""

    sink: Sink

    def __call__(self, event: Event) -> None:
        """Write one event."""
        self.sink.write(json_line(event, datetime.now(UTC)))


@dataclass(slots=True)
class LegacyReader:
    """Shows events in the format of jet 1.x."""

    sink: Sink
    log: LegacyLog = field(default_factory=LegacyLog)

    def __call__(self, event: Event) -> None:
        """Render and write one event."""
        self.sink.write(self.log.render(event))
