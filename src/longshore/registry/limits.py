"""How long and how often we try before we give up."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from longshore.errors import UsageError

MEBIBYTE = 1 << 20

_STRETCH: Final = 118 * MEBIBYTE
"""Divided by the sizes that parts in an object store are given (8, 10, 16, 32, 64 or 100 MiB) it
leaves more than 5 MiB. With the next request distribution 3 has S3 copy all that it has of a blob
whose last part is smaller (``s3-aws``, ``writer.Write``)."""


class Limits(Struct, frozen=True, kw_only=True):
    """What the user allows; times in seconds, sizes in bytes.

    `retries` counts further attempts after the first, of one request or of one blob without
    progress. `deadline` bounds one call of the client in total, waiting included. `idle` is the
    longest time without a byte moved; `longest_wait` the longest ``Retry-After`` that is obeyed.
    `commit` stands for `idle` while a blob is completed: a registry over an object store copies
    the blob to its place then, which takes minutes for a large one, and says nothing meanwhile;
    who gives up sooner sends everything again, and meets the same. `chunk_size` is what one PATCH
    carries when a blob is not streamed, and what is kept in memory of each blob on its way;
    `stretch` what one carries of a streamed blob where streams pause (see `Chunking.stretch`), as
    long as the line holds none up for `held_up` seconds. Raises UsageError for values that cannot
    work.
    """

    retries: int = 8
    deadline: float = 7200.0
    chunk_size: int = 16 * MEBIBYTE
    stretch: int = _STRETCH
    held_up: float = 2.0
    idle: float = 120.0
    commit: float = 1800.0
    longest_wait: float = 300.0

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise UsageError(f"{self.retries} retries are not possible", hint="give 0 or more")
        if min(self.deadline, self.idle, self.commit, self.longest_wait) <= 0:
            raise UsageError("a time limit has to be above 0 seconds")
        if self.chunk_size < 64 * 1024:
            raise UsageError(
                f"a chunk of {self.chunk_size} bytes is too small", hint="give at least 64 KiB"
            )
