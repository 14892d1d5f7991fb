"""Work done once per key, however many ask for it; a failure is forgotten, so the next may try."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

Value = TypeVar("Value")


class OncePerKey(Generic[Value]):
    """The first caller for a key does the work in its own task; the others wait for it.

    When the worker fails or is cancelled, those who wait see the failure (or take over after a
    cancellation), and a later caller tries anew.
    """

    def __init__(self) -> None:
        self._done: dict[str, Value] = {}
        self._pending: dict[str, _Pending] = {}
        self._awaited: dict[str, anyio.Event] = {}

    def known(self, key: str) -> Value | None:
        """The value, if it has been made already."""
        return self._done.get(key)

    def forget(self, key: str) -> None:
        """Have the work done anew when somebody asks next."""
        self._done.pop(key, None)

    async def made(self, key: str) -> Value:
        """The value for `key`, as soon as somebody's work has made it; it may never come."""
        while key not in self._done:
            await self._awaited.setdefault(key, anyio.Event()).wait()
        return self._done[key]

    async def get(self, key: str, work: Callable[[], Awaitable[Value]]) -> Value:
        """The value for `key`; raises what `work` raised."""
        while key not in self._done:
            pending = self._pending.get(key)
            if pending is None:
                return await self._work(key, work)
            await pending.finished.wait()
            if pending.failure is not None:
                raise pending.failure
        return self._done[key]

    async def _work(self, key: str, work: Callable[[], Awaitable[Value]]) -> Value:
        pending = self._pending[key] = _Pending()
        try:
            value = await work()
        except Exception as failure:
            pending.failure = failure
            raise
        else:
            self._done[key] = value
            if (awaited := self._awaited.pop(key, None)) is not None:
                awaited.set()
            return value
        finally:
            del self._pending[key]
            pending.finished.set()


class _Pending:
    __slots__ = ("failure", "finished")

    def __init__(self) -> None:
        self.finished = anyio.Event()
        self.failure: Exception | None = None
