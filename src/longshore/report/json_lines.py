"""Events as JSON lines: the machine-readable log, and the journal of a run; pure.

Each line is an object with ``time`` (RFC 3339, UTC), ``event`` (the event's name in snake case)
and the event's own fields. Container output is ``text``, or ``data_base64`` if it is no UTF-8.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from typing import Any

from msgspec.structs import asdict

from longshore.run.events import ContainerOutput, Event, RunFinished, StepFinished
from longshore.run.outcome import Broken, Failed, Outcome, Skipped


def json_line(event: Event, now: datetime) -> bytes:
    """One event as a line of JSON, with its newline."""
    record = {"time": now.isoformat(timespec="microseconds"), "event": wire_name(type(event))}
    text = json.dumps(record | _fields(event), ensure_ascii=False)
    # A path may hold bytes that are no text.
    return text.encode(errors="replace") + b"\n"


def wire_name(kind: type) -> str:
    """``step_finished`` for StepFinished: of an event or an outcome."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _fields(event: Event) -> dict[str, Any]:
    match event:
        case ContainerOutput():
            return _output(event)
        case StepFinished():
            return _plain(event) | outcome_fields(event.outcome)
        case RunFinished():
            failed = [{"step": name} | outcome_fields(outcome) for name, outcome in event.failed]
            return asdict(event) | {"failed": failed}
        case _:
            return asdict(event)


def _plain(event: StepFinished) -> dict[str, Any]:
    fields = asdict(event)
    del fields["outcome"]
    return fields


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON fields: ``outcome`` and what belongs to it."""
    base: dict[str, Any] = {"outcome": wire_name(type(outcome))}
    match outcome:
        case Failed(code):
            return base | {"exit_code": code}
        case Broken(message, hint):
            return base | {"message": message, "hint": hint}
        case Skipped(because):
            return base | {"because": because}
        case _:
            return base


def _output(event: ContainerOutput) -> dict[str, Any]:
    record: dict[str, Any] = {"step": event.step, "name": event.name, "service": event.service}
    try:
        record["text"] = event.data.decode()
    except UnicodeDecodeError:
        record["data_base64"] = base64.b64encode(event.data).decode()
    return record | {"dependency": event.dependency}
