"""Events in the log format of jet 0.x and 1.x (spec 7.7), for those who parse old logs; pure."""

from __future__ import annotations

from dataclasses import dataclass

from longshore.report.console import prefixed, reason
from longshore.run.events import (
    ContainerOutput,
    Event,
    ImageFinished,
    ImageOutput,
    ImageStarted,
    Pushed,
    PushOutput,
    RunFinished,
    ServiceMessage,
    StepFinished,
    StepStarted,
)
from longshore.run.outcome import Outcome, Passed, Skipped


@dataclass(slots=True)
class LegacyLog:
    """Renders events as ``{Kind=field:"value"}: text`` lines."""

    def render(self, event: Event) -> bytes:
        """The lines of one event; empty for events that format did not have."""
        match event:
            case ContainerOutput():
                head = _head("ContainerRunStdout", step_name=event.name, service_name=event.service)
                return prefixed(f"{head}: ", event.data)
            case ServiceMessage() | PushOutput():
                kind = (
                    "ContainerRunStdout" if isinstance(event, ServiceMessage) else "PushImageStdout"
                )
                head = _head(kind, step_name=event.name, service_name=event.service)
                return _lines(f"{head}: ", event.text)
            case ImageOutput():
                head = _head("BuildImageStdout", image_name=event.image, service_name=event.service)
                return _lines(f"{head}: ", event.text)
            case ImageStarted() | ImageFinished():
                end = "Started" if isinstance(event, ImageStarted) else "Finished"
                kind = f"{event.action.capitalize()}Image{end}"
                head = _head(kind, image_name=event.image, service_name=event.service)
                return f"{head}\n".encode()
            case StepStarted():
                return f"{_head('StepStarted', step_name=event.name)}\n".encode()
            case StepFinished():
                head = _head("StepFinished", step_name=event.name)
                return f"{head[:-1]} type:{_type(event.outcome)}}}\n".encode()
            case Pushed():
                return f"pushed {event.reference}@{event.digest}\n".encode()
            case RunFinished():
                return b"".join(
                    f'Error: step "{name}": {reason(outcome)}\n'.encode()
                    for name, outcome in event.failed
                )
            case _:
                return b""


def _lines(prefix: str, text: str) -> bytes:
    return prefixed(prefix, text.encode(errors="replace") + b"\n")


def _head(kind: str, **fields: str) -> str:
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
