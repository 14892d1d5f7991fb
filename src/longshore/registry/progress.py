"""What the client tells while it works, as values; who shows them decides how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Nothing is sent to `host` for `seconds`, because of `reason`."""

    host: str
    seconds: float
    reason: str

    def __str__(self) -> str:
        return f"waiting {self.seconds:.1f} s for {self.host} because of {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """`total` bytes of the blob called `blob` are on their way or there; sent per piece."""

    repository: str
    blob: str
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exists:
    """The repository has the blob already."""

    repository: str
    blob: str

    def __str__(self) -> str:
        return f"{self.blob} exists in {self.repository}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted:
    """The registry linked the blob from another of its repositories."""

    repository: str
    blob: str
    source: str

    def __str__(self) -> str:
        return f"{self.blob} mounted from {self.source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """After a break the upload goes on at byte `offset`."""

    repository: str
    blob: str
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.blob} resumed at byte {self.offset} after {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """The upload begins again at zero, because of `reason`."""

    repository: str
    blob: str
    reason: str

    def __str__(self) -> str:
        return f"{self.blob} starts again: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSized:
    """Blobs go to `host` in chunks of `size` bytes from now on, because of `reason`."""

    host: str
    size: int
    reason: str

    def __str__(self) -> str:
        return f"sending to {self.host} in chunks of {self.size / (1 << 20):.3g} MiB: {self.reason}"


Progress = Waiting | Sent | Exists | Mounted | Resumed | Restarted | ChunkSized
Listener = Callable[[Progress], None]


def unheard(_: Progress) -> None:
    """A listener that drops everything."""
