"""A limit on silence: a step that writes nothing for too long is stopped (T-44)."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import anyio


@dataclass(slots=True)
class QuietWatch:
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
