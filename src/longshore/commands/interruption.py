"""Ctrl-C and SIGTERM: once stops the steps and cleans up, twice leaves at once (spec C-6)."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio


@asynccontextmanager
async def interruptible(
    tell: Callable[[str], None], leave: Callable[[], None]
) -> AsyncIterator[anyio.CancelScope]:
    """A scope that the first signal cancels; the second calls `leave`, which does not return."""
    scope = anyio.CancelScope()
    async with anyio.create_task_group() as group:
        group.start_soon(_listen, scope, tell, leave)
        yield scope
        group.cancel_scope.cancel()
    if scope.cancel_called:
        # The event loop has yet to end; Python's own handler would break it off with a traceback.
        signal.signal(signal.SIGINT, lambda *_: leave())


async def _listen(
    scope: anyio.CancelScope, tell: Callable[[str], None], leave: Callable[[], None]
) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            if scope.cancel_called:
                tell("left at once; `longshore cleanup` removes what is still there\n")
                leave()
            tell("stopping the running steps (once more to leave at once)\n")
            scope.cancel()
