"""Work once per key: who asks second waits for the first; failures are forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Once(Generic[Key, Value]):
    """Results by key. When the work for a key is cancelled, the next one who waits does it again.

    When it fails, only its own caller hears of that and the next one does it again; with
    `share_failures` those who wait already hear of it too, and only who asks later tries anew.
    """

    def __init__(self, *, share_failures: bool = False) -> None:
        self._share_failures = share_failures
        self._results: dict[Key, Value] = {}
        self._running: dict[Key, _Running] = {}
        self._awaited: dict[Key, anyio.Event] = {}

    async def get(self, key: Key, work: Callable[[], Awaitable[Value]]) -> Value:
        """The result for `key`, worked out by the first caller."""
        while key not in self._results:
            if (running := self._running.get(key)) is not None:
                await running.done.wait()
                if running.failure is not None:
                    raise running.failure
                continue
            return await self._work(key, work)
        return self._results[key]

    def known(self, key: Key) -> Value | None:
        """The result when there is one already."""
        return self._results.get(key)

    async def made(self, key: Key) -> Value:
        """The result for `key`, as soon as somebody's work has made it; it may never come."""
        while key not in self._results:
            await self._awaited.setdefault(key, anyio.Event()).wait()
        return self._results[key]

    def forget(self, key: Key) -> None:
        """Have the work done again by the next one who asks."""
        self._results.pop(key, None)

    def forget_if(self, condition: Callable[[Key, Value], bool]) -> None:
        """The same for every key whose result fulfils `condition`."""
        for key in [key for key, value in self._results.items() if condition(key, value)]:
            del self._results[key]

    async def _work(self, key: Key, work: Callable[[], Awaitable[Value]]) -> Value:
        running = self._running[key] = _Running()
        try:
            self._results[key] = result = await work()
            if (awaited := self._awaited.pop(key, None)) is not None:
                awaited.set()
        except Exception as failure:
            running.failure = failure if self._share_failures else None
            raise
        finally:
            del self._running[key]
            running.done.set()
        return result


class _Running:
    __slots__ = ("done", "failure")

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.failure: Exception | None = None
