"""Requests that must not be left half done when the caller is cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from longshore.errors import EngineUnavailable

SECONDS = 120.0


async def settled(
    make: Callable[[], Awaitable[str]], undo: Callable[[str], Awaitable[None]]
) -> str:
    """The id that `make` returns, or, when cancelled meanwhile, nothing made at all.

    The request itself is never cut (one cannot know whether the engine got it), so its result is
    always known and can be undone. Both are bounded: a hanging engine cannot hold us for ever.
    """
    made: str | None = None
    with anyio.move_on_after(SECONDS, shield=True):
        made = await make()
    if made is None:
        raise EngineUnavailable(f"the engine did not answer within {SECONDS:.0f} seconds")
    try:
        await checkpoint_if_cancelled()
    except anyio.get_cancelled_exc_class():
        with anyio.move_on_after(SECONDS, shield=True):
            await undo(made)
        raise
    return made
