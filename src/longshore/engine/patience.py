"""Waiting for something that sends no event: the one place of the engine package that sleeps."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from msgspec import Struct

_FIRST_PAUSE: Final = 0.01
_LAST_PAUSE: Final = 0.2


class Clock(Struct, frozen=True, kw_only=True):
    """Time, injected so that no test waits; `now` is monotonic, in seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


async def until(
    holds: Callable[[], Awaitable[bool]], *, seconds: float, clock: Clock | None = None
) -> bool:
    """Ask until the answer is yes, with growing pauses; False when it is not within `seconds`."""
    clock = clock or Clock()
    deadline = clock.now() + seconds
    pause = _FIRST_PAUSE
    while not await holds():
        if clock.now() >= deadline:
            return False
        await clock.sleep(pause)
        pause = min(pause * 1.5, _LAST_PAUSE)
    return True
