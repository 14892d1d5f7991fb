"""Events as the lines that `jet` printed (spec C-25 to C-30); pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from msgspec import Struct, field

from longshore.config.step_keys import GROUPS
from longshore.report.printable import printable_lines
from longshore.report.style import Colour, Style
from longshore.report.summary import hint_lines, reason, summary
from longshore.run.events import (
    ContainerOutput,
    Detail,
    Event,
    ImageFinished,
    ImageOutput,
    ImageStarted,
    Notice,
    Pushed,
    PushOutput,
    RunFinished,
    RunStarted,
    ServiceMessage,
    StepFinished,
    StepStarted,
)
from longshore.run.outcome import Broken, Failed, NotRun, Passed, Skipped, Stopped


class Lines(Struct, frozen=True):
    """What an event looks like: bytes for stdout, and text for stderr."""

    out: bytes = b""
    err: str = ""


class Console(Struct, frozen=True, kw_only=True):
    """Renders events; `clock` is given when every line is to carry its time, `verbose` when also
    what explains a run is to be told."""

    style: Style = field(default_factory=Style)
    clock: Callable[[], datetime] | None = None
    verbose: bool = False

    def render(self, event: Event) -> Lines:
        """The lines of one event."""
        match event:
            case ContainerOutput():
                return Lines(self._block(self._container(event.service, event.name), event.data))
            case ImageOutput():
                prefix = f"(image: {event.image}) {self.style.service(event.service)} "
                return self._text(prefix, event.text)
            case ServiceMessage() | PushOutput():
                return self._text(self._container(event.service, event.name), event.text)
            case StepStarted():
                return self._text(_step(event.name), "")
            case StepFinished():
                return self._text(_step(event.name), self._outcome(event))
            case Pushed():
                tail = f" {event.summary}" if event.summary else ""
                return self._text(
                    _step(event.name), f"pushed {event.reference}@{event.digest}{tail}"
                )
            case Notice():
                head = self.style.paint("notice:", Colour.YELLOW)
                return self.told(f"{head} {printable_lines(event.text)}\n")
            case RunFinished():
                return self.told(summary(event, error=self.style.paint("Error:", Colour.RED)))
            case RunStarted():
                return self._detail(f"run {event.run} on {event.engine}")
            case Detail():
                return self._detail(event.text)
            case ImageFinished():
                end = "failed" if event.problem else "done"
                return self._detail(f"{event.action} of {event.image} {end}: {event.seconds:.1f} s")
            case ImageStarted():
                return Lines()

    def _detail(self, text: str) -> Lines:
        """What only those hear who asked for more."""
        return self.told(f"debug: {text}\n" if self.verbose else "")

    def told(self, text: str) -> Lines:
        """Whole lines for standard error."""
        return Lines(err="".join(f"{self._time}{line}\n" for line in text.split("\n")[:-1]))

    def _container(self, service: str, step: str) -> str:
        return f"{self.style.service(service)} {_step(step)}"

    def _text(self, prefix: str, text: str) -> Lines:
        return Lines(self._block(prefix, text.encode(errors="replace") + b"\n"))

    def _block(self, prefix: str, lines: bytes) -> bytes:
        return prefixed(f"{self._time}{prefix}", lines)

    @property
    def _time(self) -> str:
        return f"{self.clock().isoformat(timespec='milliseconds')} " if self.clock else ""

    def _outcome(self, event: StepFinished) -> str:
        match event.outcome:
            case Passed():
                return self.style.success
            case Failed() | Broken() if event.kind in GROUPS:
                return self.style.failure  # as a step in it did, which has told why
            case Failed():
                return f"{reason(event.outcome)}\n{self.style.failure}"
            case Broken() as broken:
                told = [reason(broken), *hint_lines(broken), self.style.failure]
                return "\n".join(told)
            case Skipped(because):
                return f"{self.style.skipped} ({because})"
            case Stopped():
                return "stopped"
            case NotRun():
                return "not run"


def prefixed(prefix: str, lines: bytes) -> bytes:
    r"""`lines` (each ended by a newline) with `prefix` before each; none ends in a blank."""
    start, empty = _encoded(prefix)
    block = start + lines[:-1].replace(b"\n", b"\n" + start) + b"\n"
    if lines[:1] != b"\n" and _empty_line(lines) is None:
        return block
    return block.replace(start + b"\n", empty + b"\n")


# In a flood most time goes here: `in` looks for two bytes at a quarter of this one's speed.
_empty_line = re.compile(rb"\n\n").search


@lru_cache(maxsize=256)
def _encoded(prefix: str) -> tuple[bytes, bytes]:
    encoded = prefix.encode(errors="replace")
    return encoded, encoded.rstrip()


def _step(name: str) -> str:
    return f"(step: {name}) "
