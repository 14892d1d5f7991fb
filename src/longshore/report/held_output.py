"""``--no-print-dependency-output``: what dependencies write is shown when their step fails."""

from __future__ import annotations

from collections import deque

from msgspec import Struct, field

from longshore.run.events import ContainerOutput, Event, StepFinished
from longshore.run.outcome import is_failure
from longshore.run.stream import Emit

KEPT = 1 << 20
"""Bytes that are held of each step, at least one block of lines."""


class HeldOutput(Struct):
    """Passes events on to `show`, and what dependencies wrote before the failure of their step.

    Of more than `KEPT` bytes the last are held: they tell most about a failure. The journal of the
    run has what is not shown.
    """

    show: Emit
    _steps: dict[str, _Held] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Hold or show one event."""
        if isinstance(event, ContainerOutput) and event.dependency:
            self._steps.setdefault(event.step, _Held()).add(event)
            return
        if isinstance(event, StepFinished):
            held = self._steps.pop(event.step, None)
            if held is not None and is_failure(event.outcome):
                for output in held.blocks:
                    self.show(output)
        self.show(event)


class _Held(Struct):
    blocks: deque[ContainerOutput] = field(default_factory=deque)
    size: int = 0

    def add(self, event: ContainerOutput) -> None:
        self.blocks.append(event)
        self.size += len(event.data)
        while self.size > KEPT and len(self.blocks) > 1:
            self.size -= len(self.blocks.popleft().data)
