"""Which reader shows a run, and the masking in front of every one of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from longshore.report.console import Console
from longshore.report.event_readers import JsonReader, TextReader
from longshore.report.held_output import HeldOutput
from longshore.report.legacy import LegacyLog
from longshore.report.sink import Sink
from longshore.report.style import Style
from longshore.run.events import Event
from longshore.run.stream import Emit
from longshore.secrets.masking import Masker


class LogFormat(StrEnum):
    """``--log-format``."""

    TEXT = "text"
    JSON = "json"
    V1 = "v1"


class LogOptions(Struct, frozen=True, kw_only=True):
    """How a run is shown."""

    format: LogFormat = LogFormat.TEXT
    timestamps: bool = False
    verbose: bool = False
    dependencies: bool = True
    """Whether what dependencies write is shown of steps that pass, too."""


def reader(options: LogOptions, sink: Sink, style: Style, masker: Masker) -> Emit:
    """The reader for `options`; texts of events are masked before it sees them.

    Container output is masked on its way into the stream, where pieces can still be joined.
    """
    show = _reader(options, sink, style)
    if not options.dependencies:
        show = HeldOutput(show)

    def read(event: Event) -> None:
        show(masked(event, masker))

    return read


def _reader(options: LogOptions, sink: Sink, style: Style) -> Emit:
    if options.format is LogFormat.JSON:
        return JsonReader(sink)
    clock = (lambda: datetime.now().astimezone()) if options.timestamps else None
    console = Console(style=style, clock=clock, verbose=options.verbose)
    if options.format is LogFormat.V1:
        return TextReader(LegacyLog(others=console, clock=clock), sink)
    return TextReader(console, sink)


_MASKED = frozenset({"text", "problem", "summary", "outcome", "failed"})


def masked(event: Event, masker: Masker) -> Event:
    """The event with every text that others wrote masked."""
    changes: dict[str, Any] = {}
    for name in _MASKED.intersection(event.__struct_fields__):
        value = getattr(event, name)
        hidden = _masked_value(value, masker)
        if hidden is not value:
            changes[name] = hidden
    return replace(event, **changes) if changes else event


def _masked_value(value: object, masker: Masker) -> object:
    if isinstance(value, str):
        hidden = masker.mask_text(value)
        return value if hidden == value else hidden
    if isinstance(value, tuple):
        return tuple(_masked_value(item, masker) for item in value)
    message = getattr(value, "message", None)
    if message is None:
        return value
    hint = getattr(value, "hint", None)
    return replace(
        value,  # type: ignore[type-var]  # a Broken, the one outcome with texts
        message=masker.mask_text(message),
        hint=None if hint is None else masker.mask_text(hint),
    )
