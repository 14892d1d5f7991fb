"""The reference page of ``--log-format json`` and of the journal, made from the events; pure."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from msgspec import Struct
from msgspec.structs import fields

from longshore.report.json_lines import outcome_fields, wire_name
from longshore.run.events import ContainerOutput, Event, StepFinished
from longshore.run.outcome import Outcome

_HEAD = """# Events

<!-- Generated from the declarations in src/longshore/run; do not edit. -->

`longshore steps --log-format json` writes one JSON object a line, and the journal of every run
holds the same. Each has `time` (RFC 3339, UTC) and `event`, and what the event brings with it,
below. Readers should pass over events and fields they do not know.

`step` is the step's place in the file (`2.1`), `name` what it is called; `seconds` is how long
something took. Secrets are masked.
"""

_OUTCOMES = """## Outcomes

`step_finished` has its outcome as a field `outcome` with one of these names, and the fields that
belong to it; so has every entry of `failed` in `run_finished`, whose `step` is the step's name.
"""


_RULES: Final = re.compile(r" \((?:spec )?[A-Z]-\d+(?:, [A-Z]-\d+)*\)")


def events_page() -> str:
    """The whole page in Markdown."""
    events = [line for event in get_args(Event) for line in _section(event)]
    outcomes = [_row(one) for one in get_args(Outcome)]
    table = ["| Outcome | Fields | Meaning |", "|---|---|---|", *outcomes]
    return "\n".join([_HEAD, *events, _OUTCOMES, *table]) + "\n"


def _section(event: type[Struct]) -> Iterator[str]:
    names = [f"`{one.name}`" for one in fields(event)]
    if event is ContainerOutput:
        names[names.index("`data`")] = "`text` (`data_base64` where it is no UTF-8)"
    if event is StepFinished:
        names.insert(names.index("`outcome`") + 1, "the fields of the outcome")
    yield f"## `{wire_name(event)}`\n\n{_meaning(event)}\n\nFields: {', '.join(names)}.\n"


def _row(outcome: Any) -> str:
    shown = outcome_fields(outcome(*[None] * len(fields(outcome))))
    names = ", ".join(f"`{name}`" for name in shown if name != "outcome")
    return f"| `{wire_name(outcome)}` | {names} | {_meaning(outcome)} |"


def _meaning(kind: type) -> str:
    """Its docstring in JSON's words, without the rules of the specification behind it."""
    text = " ".join(inspect.cleandoc(kind.__doc__ or "").split())
    return _RULES.sub("", text).replace("None", "null").replace("``", "`")
