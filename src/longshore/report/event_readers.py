"""Readers of the event stream: each renders an event and writes it where it belongs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from longshore.report.console import Console
from longshore.report.json_lines import json_line
from longshore.report.legacy import LegacyLog
from longshore.report.sink import Sink
from longshore.run.events import Event


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
