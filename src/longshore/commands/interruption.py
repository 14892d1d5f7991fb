"""Ctrl-C and its like: once stops the steps and cleans up, twice leaves at once (spec C-6)."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio
from msgspec import Struct, field

INTERRUPTED: Final = 130
"""The exit code of a command that a signal has stopped."""


class Interruption(Struct, frozen=True):
    """What the first signal does: it cancels `scope`, and whatever comes after that hears of
    `began`, so that clean-up hurries.

    Until `opened` is set it ends the block of `interruptible` as well: an engine may take a minute
    to start or to answer, and nothing has been made on it.
    """

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    began: anyio.Event = field(default_factory=anyio.Event)
    opened: anyio.Event = field(default_factory=anyio.Event)
    block: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    def begin(self) -> None:
        """Stop."""
        self.began.set()
        self.scope.cancel()
        if not self.opened.is_set():
            self.block.cancel()


@asynccontextmanager
async def interruptible(
    tell: Callable[[str], None],
    leave: Callable[[], None],
    hurry: Callable[[], None] = lambda: None,
) -> AsyncIterator[Interruption]:
    """What the first signal stops; the second calls `leave`, which does not return.

    `hurry` is called with each signal at once, where the event loop may stand still in a write.

    A terminal that is closed counts as a first signal, unless ``nohup`` started us; it cannot be
    the second, for the shell and the kernel both tell of it.
    """
    interruption = Interruption()
    async with anyio.create_task_group() as group:
        group.start_soon(_listen, interruption, tell, leave, hurry)
        with interruption.block:
            yield interruption
        group.cancel_scope.cancel()
    if interruption.began.is_set():
        # The event loop has yet to end; Python's own handler would break it off with a traceback.
        signal.signal(signal.SIGINT, lambda *_: leave())


async def _listen(
    interruption: Interruption,
    tell: Callable[[str], None],
    leave: Callable[[], None],
    hurry: Callable[[], None],
) -> None:
    heeded = _heeded()
    with anyio.open_signal_receiver(*heeded) as signals:
        _call_at_once(hurry, heeded)
        async for received in signals:
            if interruption.began.is_set() and received is signal.SIGHUP:
                continue
            if interruption.began.is_set():
                _say(tell, "left at once; `longshore cleanup` removes what is still there\n")
                leave()
            _say(tell, "stopping what still runs (once more to leave at once)\n")
            interruption.begin()


def _call_at_once(hurry: Callable[[], None], heeded: Iterable[signal.Signals]) -> None:
    """asyncio hears of a signal by its wakeup descriptor, and leaves the handler without work."""
    for each in heeded:
        signal.signal(each, lambda *_: hurry())


def _heeded() -> tuple[signal.Signals, ...]:
    always = (signal.SIGINT, signal.SIGTERM)
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return always if ignored else (*always, signal.SIGHUP)


def _say(tell: Callable[[str], None], text: str) -> None:
    with suppress(OSError):  # the terminal may be what has gone
        tell(text)
