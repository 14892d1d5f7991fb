"""Who may still start: queued siblings of a failed parallel step may not (spec T-18, T-19)."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Gate(Struct):
    """The way into one step of a parallel group. Once something in the step has started, all of it
    may: a step that runs is allowed to finish."""

    group: Siblings | None = None
    outer: Gate | None = None
    on_failure: Callable[[], None] = lambda: None
    """Called when the step has failed, each time something of it does."""
    _entered: bool = False

    def enter(self) -> bool:
        """Whether the step may start now (or has)."""
        if self._entered:
            return True
        if self.group is not None and self.group.failed:
            return False
        if self.outer is not None and not self.outer.enter():
            return False
        self._entered = True
        return True

    def fail(self) -> None:
        """The step failed: no sibling that waits may start any more."""
        if self.group is not None:
            self.group.failed = True
        self.on_failure()


class Siblings(Struct):
    """The steps of one parallel group."""

    failed: bool = False
