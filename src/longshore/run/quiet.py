"""A limit on silence: a step that writes nothing for too long is stopped (T-44)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import anyio
from msgspec import Struct, field

from longshore.engine.port import OnLine
from longshore.errors import EngineError

Result = TypeVar("Result")


class QuietWatch(Struct):
    """Cancels its block when `heard` is not called for `limit` seconds; None: never."""

    limit: float | None
    _scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    def __enter__(self) -> Self:
        self._scope.__enter__()
        self.heard()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return bool(self._scope.__exit__(kind, value, traceback))

    def heard(self) -> None:
        """Something was written: the time begins anew."""
        if self.limit is not None:
            self._scope.deadline = anyio.current_time() + self.limit


def silence(limit: float | None) -> str:
    """What is said of something that `limit` ended."""
    return f"stopped after {limit or 0:g} seconds without output (--quiet-timeout)"


async def while_heard(
    limit: float | None, what: str, work: Callable[[OnLine], Awaitable[Result]], on_line: OnLine
) -> Result:
    """What `work` gives; every line it tells goes to `on_line`.

    Raises EngineError, which names `what`, when there is no line for `limit` seconds.
    """
    results: list[Result] = []
    with QuietWatch(limit) as watch:

        def heard(line: str) -> None:
            watch.heard()
            on_line(line)

        results.append(await work(heard))
    if not results:
        raise EngineError(f"{what} was {silence(limit)}")
    return results[0]
