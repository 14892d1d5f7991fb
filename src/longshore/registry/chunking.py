"""How large the pieces are in which blobs go to one registry; shared by all uploads to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from longshore.image.layer import BLOCK
from longshore.registry.limits import Limits
from longshore.registry.progress import ChunkSized, Listener
from longshore.registry.transport.exchange import Answer

SMALLEST: Final = 64 * 1024
_LEAST_AFTER_BREAKS: Final = 1 << 20
LARGEST: Final = 64 << 20
"""However much a registry wants in one piece: a piece is kept in memory until it has arrived."""

_WHOLE: Final = re.compile(
    r"(^|\.)(gcr\.io|pkg\.dev|ghcr\.io|public\.ecr\.aws)$"
    r"|\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)$"
)
"""Registries of which is known that pieces do not get through. Google's take none ("does not
support chunked uploads", its documentation); GitHub's refuses those above 4 MiB
(wasmCloud/wash-archive#268), Amazon's those below 5 MB, and it tells a Range that stands still
(aws/containers-roadmap#2831)."""

_STEP: Final = 16 << 20
"""A stretch that had to go on past its length ends at one of these, which are as good for the parts
of an object store; within a block, the longest that a source gives."""

_REFERENCE: Final = re.compile(r"[?&]_state=")
"""In an upload's address: what its own code keeps there tells distribution, and what is made of it
(Harbor, GitLab, Docker Hub)."""


@dataclass(slots=True, kw_only=True)
class Chunking:
    """`streaming`: a blob may go in one PATCH without announced length. `size` in bytes.

    `whole`: a stream that broke is begun again from zero, for the registry takes no pieces.
    `with_commit`: a small blob may come with the request that completes it.
    """

    host: str
    limits: Limits
    listener: Listener
    streaming: bool = True
    whole: bool = field(init=False)
    with_commit: bool = True
    size: int = field(init=False)
    stretch: int | None = None
    """Bytes of a streamed blob after which its request ends and a further one begins; None: never.

    At the end of each request distribution waits until its disk has what came (2.8,
    ``fileWriter.Close``). With one request for all, hundreds of megabytes are written only when
    nobody has anything left to do but wait for that.
    """
    least: int = SMALLEST
    """Smaller pieces the registry does not want, except for the last of a blob."""
    _steady: bool = False
    _completing: int = 0

    def __post_init__(self) -> None:
        self.size = self.limits.chunk_size
        self.whole = _WHOLE.search(self.host.partition(":")[0]) is not None

    def streams(self, *, broken: bool) -> bool:
        """Whether a blob goes in one PATCH; `broken`: after something broke."""
        return self.streaming and (self.whole or not broken)

    def may_stream_again(self, *, broken: bool) -> bool:
        """Whether pieces are only the way out of a break, which the registry may not take."""
        return self.streaming and broken and not self.whole

    def announced(self, answer: Answer) -> None:
        """Obey the limits that an upload's first answer may name, in bytes.

        ``OCI-Chunk-Min-Length`` is of the OCI distribution spec 1.1 ("Pushing a blob in chunks");
        ``OCI-Chunk-Max-Length`` was proposed beside it and some registries send it.
        """
        least, most = (
            _length(answer.headers.get(f"OCI-Chunk-{end}-Length")) for end in ("Min", "Max")
        )
        if least is not None:
            self.least = max(SMALLEST, min(least, LARGEST))
        if least is not None and least > self.size:
            self._resize(min(least, LARGEST), f"it wants at least {least} bytes in each")
        if most is not None and (self.streaming or most < self.size):
            self.streaming = False
            self._resize(min(most, self.size), f"it takes at most {most} bytes in each")
        if not self._steady and _REFERENCE.search(answer.headers.get("Location", "")):
            self.stretch = self.limits.stretch

    def pauses(self, length: int, held_up: float) -> bool:
        """Whether a stream that has sent `length` bytes ends its request here.

        One at a time, for the others have the disk and our cores to themselves meanwhile; and not
        where the line has held it up, for so many seconds: then the disk had time enough.
        """
        keeps_up = held_up < self.limits.held_up
        over = length - (self.stretch or 0)
        return (
            self.is_stretch(length) and over % _STEP < BLOCK and keeps_up and not self._completing
        )

    def is_stretch(self, length: int) -> bool:
        """Whether a request may have ended after so many bytes because of `pauses`."""
        return self.stretch is not None and not self.whole and length >= self.stretch

    @contextmanager
    def completing(self) -> Iterator[None]:
        """While the registry has the whole of a request and has not answered."""
        self._completing += 1
        try:
            yield
        finally:
            self._completing -= 1

    def no_stretches(self) -> None:
        """It lost a blob that came in several requests, which may be the reason."""
        self.stretch, self._steady = None, True

    def too_large(self, sent: int) -> bool:
        """A body of `sent` bytes was refused with 413; False when there is nothing smaller."""
        if not self.streaming and sent > self.size:
            return True  # another upload met the limit first; what it learnt is in force
        if self.streaming:
            self.streaming = False
            self.size = min(self.size, max(sent, self.least * 4))
        if sent <= self.least:
            return False
        # Quarters: each refusal costs a round trip and the bytes sent until it came.
        smaller = max(self.least, min(self.size, sent) // 4)
        self._resize(smaller, f"a body of {sent} bytes was refused as too large (413)")
        return True

    def no_streaming(self, reason: str) -> None:
        """The registry wants to know lengths beforehand."""
        self.streaming = False
        self._resize(self.size, reason)

    def _resize(self, size: int, reason: str) -> None:
        self.size = size
        self.listener(ChunkSized(host=self.host, size=size, reason=reason))


class PieceSize(Struct):
    """How large the pieces of one upload are: as `chunking` says, smaller after breaks."""

    chunking: Chunking
    _own: int = 0

    @property
    def size(self) -> int:
        """Of the next piece, at most."""
        return min(self._own or self.chunking.size, self.chunking.size)

    def broke(self) -> None:
        """The same size may never get through a connection that breaks this often."""
        self._own = max(_LEAST_AFTER_BREAKS, self.chunking.least, self.size // 2)

    def arrived(self) -> None:
        """So larger ones may get through as well."""
        self._own = self.size * 2


def _length(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and int(text) > 0 else None
