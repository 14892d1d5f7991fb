"""Something to be done when nothing else has come for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio


class Alarm:
    """A timer of the event loop, not a task: one is set for nearly every chunk of a flood."""

    def __init__(self, seconds: float, work: Callable[[], None]) -> None:
        self._seconds = seconds
        self._work = work
        self._timer: asyncio.TimerHandle | None = None
        self.scope = anyio.CancelScope()
        self.failure: Exception | None = None

    def set(self) -> None:
        """Do the work so many seconds from now, unless it is set anew or cleared before."""
        self.clear()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._ring)

    def clear(self) -> None:
        """Do nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        try:
            self._work()
        except Exception as failure:  # noqa: BLE001 (raised where the alarm was opened)
            self.failure = failure
            self.scope.cancel()


@contextmanager
def alarm(seconds: float, work: Callable[[], None]) -> Iterator[Alarm]:
    """An alarm, cleared at the end of the block; what `work` raises ends the block."""
    bell = Alarm(seconds, work)
    with bell.scope:
        try:
            yield bell
        finally:
            bell.clear()
    if bell.failure is not None:
        raise bell.failure
