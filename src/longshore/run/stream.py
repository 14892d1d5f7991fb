"""The one stream of events of a run, given to every reader; their texts are masked there."""

from __future__ import annotations

from collections.abc import Callable

from longshore.run.events import Event

Emit = Callable[[Event], None]
"""Takes an event; never blocks for long, never raises."""


def to_all(*readers: Emit) -> Emit:
    """An emitter that hands every event to each reader, in order."""

    def emit(event: Event) -> None:
        for reader in readers:
            reader(event)

    return emit
