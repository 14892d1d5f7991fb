"""Work once per key: who asks second waits for the first; failures are forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Once(Generic[Key, Value]):
    """Results by key. When the work for a key fails or is cancelled, only its own caller hears of
    that, and the next one who asks (or waits already) does the work again."""

    def __init__(self) -> None:
        self._results: dict[Key, Value] = {}
        self._running: dict[Key, anyio.Event] = {}

    async def get(self, key: Key, work: Callable[[], Awaitable[Value]]) -> Value:
        """The result for `key`, worked out by the first caller."""
        while key not in self._results:
            if (running := self._running.get(key)) is not None:
                await running.wait()
                continue
            return await self._work(key, work)
        return self._results[key]

    def known(self, key: Key) -> Value | None:
        """The result when there is one already."""
        return self._results.get(key)

    def forget(self, key: Key) -> None:
        """Have the work done again by the next one who asks."""
        self._results.pop(key, None)

    def forget_if(self, condition: Callable[[Key], bool]) -> None:
        """The same for every key that fulfils `condition`."""
        for key in [key for key in self._results if condition(key)]:
            del self._results[key]

    async def _work(self, key: Key, work: Callable[[], Awaitable[Value]]) -> Value:
        done = self._running[key] = anyio.Event()
        try:
            self._results[key] = result = await work()
        finally:
            del self._running[key]
            done.set()
        return result
