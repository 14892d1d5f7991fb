"""Events in the log format of jet 0.x and 1.x (spec 7.7), for those who parse old logs; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct, field

from longshore.report.console import Console, Lines, prefixed
from longshore.report.summary import summary
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
from longshore.run.outcome import Outcome, Passed, Skipped

Fields = Mapping[str, str]


class LegacyLog(Struct, frozen=True, kw_only=True):
    """Renders events as ``{Kind=field:"value"}: text`` lines; what that format had no line for,
    and errors, are the `others` of `longshore.report.console` (C-29).

    `clock` is given when every line is to carry its time.
    """

    others: Console = field(default_factory=Console)
    clock: Callable[[], datetime] | None = None

    def render(self, event: Event) -> Lines:
        """The lines of one event."""
        match event:
            case ContainerOutput():
                return self._block("ContainerRunStdout", _step(event), event.data)
            case ServiceMessage():
                return self._text("ContainerRunStdout", _step(event), event.text)
            case PushOutput():
                return self._text("PushImageStdout", _step(event), event.text)
            case ImageOutput():
                kind = f"{event.action.capitalize()}ImageStdout"
                return self._text(kind, _image(event), event.text)
            case ImageStarted() | ImageFinished():
                end = "Started" if isinstance(event, ImageStarted) else "Finished"
                return self._line(_head(f"{event.action.capitalize()}Image{end}", _image(event)))
            case StepStarted():
                return self._line(_head("StepStarted", {"step_name": event.name}))
            case StepFinished():
                head = _head("StepFinished", {"step_name": event.name})
                return self._line(f"{head[:-1]} type:{_type(event.outcome)}}}")
            case Pushed():
                return self._line(f"pushed {event.reference}@{event.digest}")
            case RunFinished():
                return self.others.told(summary(event, hints=True))
            case Notice() | Detail() | RunStarted():
                return Lines(err=self.others.render(event).err)

    def _line(self, text: str) -> Lines:
        return Lines(prefixed(self._time, text.encode(errors="replace") + b"\n"))

    def _text(self, kind: str, fields: Fields, text: str) -> Lines:
        return self._block(kind, fields, text.encode(errors="replace") + b"\n")

    def _block(self, kind: str, fields: Fields, lines: bytes) -> Lines:
        return Lines(prefixed(f"{self._time}{_head(kind, fields)}: ", lines))

    @property
    def _time(self) -> str:
        return f"{self.clock().isoformat(timespec='milliseconds')} " if self.clock else ""


def _step(event: ContainerOutput | ServiceMessage | PushOutput) -> Fields:
    return {"step_name": event.name, "service_name": event.service}


def _image(event: ImageOutput | ImageStarted | ImageFinished) -> Fields:
    return {"image_name": event.image, "service_name": event.service}


def _head(kind: str, fields: Fields) -> str:
    pairs = " ".join(f'{name}:"{_escaped(value)}"' for name, value in fields.items())
    return f"{{{kind}={pairs}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _type(outcome: Outcome) -> str:
    if isinstance(outcome, Passed):
        return "STEP_FINISHED_TYPE_SUCCESS"
    if isinstance(outcome, Skipped):
        return "STEP_FINISHED_TYPE_SKIPPED"
    return "STEP_FINISHED_TYPE_ERROR"
