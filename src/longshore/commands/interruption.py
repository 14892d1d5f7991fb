"""Ctrl-C and its like: once stops the steps and cleans up, twice leaves at once (spec C-6)."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress

import anyio


@asynccontextmanager
async def interruptible(
    tell: Callable[[str], None],
    leave: Callable[[], None],
    hurry: Callable[[], None] = lambda: None,
) -> AsyncIterator[anyio.CancelScope]:
    """A scope that the first signal cancels; the second calls `leave`, which does not return.

    `hurry` is called with each signal at once, where the event loop may stand still in a write.

    A terminal that is closed counts as a first signal, unless ``nohup`` started us; it cannot be
    the second, for the shell and the kernel both tell of it.
    """
    scope = anyio.CancelScope()
    async with anyio.create_task_group() as group:
        group.start_soon(_listen, scope, tell, leave, hurry)
        yield scope
        group.cancel_scope.cancel()
    if scope.cancel_called:
        # The event loop has yet to end; Python's own handler would break it off with a traceback.
        signal.signal(signal.SIGINT, lambda *_: leave())


async def _listen(
    scope: anyio.CancelScope,
    tell: Callable[[str], None],
    leave: Callable[[], None],
    hurry: Callable[[], None],
) -> None:
    heeded = _heeded()
    with anyio.open_signal_receiver(*heeded) as signals:
        _call_at_once(hurry, heeded)
        async for received in signals:
            if scope.cancel_called and received is signal.SIGHUP:
                continue
            if scope.cancel_called:
                _say(tell, "left at once; `longshore cleanup` removes what is still there\n")
                leave()
            _say(tell, "stopping the running steps (once more to leave at once)\n")
            scope.cancel()


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
