"""What a push tells while it works, as lines: one at each turn, and one every few seconds.

Pushes of one run share clients; the lines go to the push in whose tasks something happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from msgspec import Struct, field

from longshore.registry.progress import Exists, Listener, Mounted, Progress, Sent

EVERY: Final = 3.0
"""Seconds between two lines about the same blob on its way."""

_current: ContextVar[Listener | None] = ContextVar("longshore.registry.telling", default=None)


def to_current(event: Progress) -> None:
    """A listener for clients that several pushes share."""
    listener = _current.get()
    if listener is not None:
        listener(event)


@contextmanager
def telling(listener: Listener) -> Iterator[None]:
    """What clients do in this task, and in tasks it starts, is told to `listener`."""
    token = _current.set(listener)
    try:
        yield
    finally:
        _current.reset(token)


class _Upload(Struct):
    started: float
    told: float


class Lines(Struct):
    """A listener that writes lines; `now` in seconds."""

    on_line: Callable[[str], None]
    now: Callable[[], float] = time.monotonic
    _uploads: dict[tuple[str, str], _Upload] = field(default_factory=dict)

    def __call__(self, event: Progress) -> None:
        """Tell one event, or keep it for the next line."""
        match event:
            case Sent():
                self._progress(event)
            case Exists():
                self.on_line(f"{event.blob}: exists")
            case Mounted():
                self.on_line(f"{event.blob}: mounted from {event.source}")
            case _:
                self.on_line(str(event))

    def _progress(self, event: Sent) -> None:
        now = self.now()
        upload = self._uploads.setdefault((event.repository, event.blob), _Upload(now, now))
        if now - upload.told >= EVERY:
            upload.told = now
            speed = event.total / (now - upload.started)
            self.on_line(f"{event.blob}: {megabytes(event.total)}, {megabytes(speed)}/s")


def megabytes(count: float) -> str:
    """Bytes as a user reads them: ``345 kB``, ``12.3 MB``, ``1.56 GB``."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB" if count >= 1000 else f"{count:.0f} bytes"
