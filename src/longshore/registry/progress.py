"""What the client tells while it works, as values; who shows them decides how."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Waiting(Struct, frozen=True, kw_only=True):
    """Nothing is sent to `host` for `seconds`, because of `reason`."""

    host: str
    seconds: float
    reason: str

    def __str__(self) -> str:
        return f"waiting {self.seconds:.1f} s for {self.host}: {self.reason}"


class Sent(Struct, frozen=True, kw_only=True):
    """`total` bytes of the blob called `blob` are on their way or there; sent per piece."""

    repository: str
    blob: str
    total: int


class Exists(Struct, frozen=True, kw_only=True):
    """The repository has the blob already."""

    repository: str
    blob: str

    def __str__(self) -> str:
        return f"{self.blob} exists in {self.repository}"


class Mounted(Struct, frozen=True, kw_only=True):
    """The registry linked the blob from another of its repositories."""

    repository: str
    blob: str
    source: str

    def __str__(self) -> str:
        return f"{self.blob} mounted from {self.source}"


class Resumed(Struct, frozen=True, kw_only=True):
    """After a break the upload goes on at byte `offset`."""

    repository: str
    blob: str
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.blob} resumed at byte {self.offset} after {self.reason}"


class Restarted(Struct, frozen=True, kw_only=True):
    """The upload begins again at zero, because of `reason`."""

    repository: str
    blob: str
    reason: str

    def __str__(self) -> str:
        return f"{self.blob} starts again: {self.reason}"


class ChunkSized(Struct, frozen=True, kw_only=True):
    """Blobs go to `host` in chunks of `size` bytes from now on, because of `reason`."""

    host: str
    size: int
    reason: str

    def __str__(self) -> str:
        return f"sending to {self.host} in chunks of {self.size / (1 << 20):.3g} MiB: {self.reason}"


class CutOff(Struct, frozen=True, kw_only=True):
    """The push was stopped after `tag` was sent to the repository and before it was seen there."""

    host: str
    repository: str
    tag: str

    def __str__(self) -> str:
        return (
            f"{self.host}/{self.repository}:{self.tag} may have been written: the push was cut off "
            "before the registry told"
        )


Progress = Waiting | Sent | Exists | Mounted | Resumed | Restarted | ChunkSized | CutOff
Listener = Callable[[Progress], None]


def unheard(_: Progress) -> None:
    """A listener that drops everything."""
