"""Readers of the event stream: each renders an event and writes it where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from longshore.report.console import Console
from longshore.report.json_lines import json_line
from longshore.report.legacy import LegacyLog
from longshore.report.sink import Sink
from longshore.run.events import Event


class TextReader(Struct, frozen=True):
    """Shows events in one of jet's formats."""

    log: Console | LegacyLog
    sink: Sink

    def __call__(self, event: Event) -> None:
        """Render and write one event."""
        lines = self.log.render(event)
        if lines.out:
            self.sink.write(lines.out)
        if lines.err:
            self.sink.tell(lines.err)


class JsonReader(Struct, frozen=True):
    """Shows events as JSON lines."""

    sink: Sink

    def __call__(self, event: Event) -> None:
        """Write one event."""
        self.sink.write(json_line(event, datetime.now(UTC)))
