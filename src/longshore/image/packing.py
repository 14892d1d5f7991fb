"""What packing a layer amounts to, whoever's threads do it: segments of tar in, a blob out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct

from longshore.errors import ContentMismatch
from longshore.image.compression import CompressionOptions, codec_for
from longshore.image.in_order import InOrder
from longshore.image.layer import Block
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression
from longshore.oci.sha256 import Sha256


class Packed(Struct, frozen=True, kw_only=True):
    """The blob that was made: its `digest` and `size`, and the digest of the tar in it."""

    digest: Digest
    size: int
    diff_id: Digest


class Segment:
    """A piece of the tar, until it is both measured and packed."""

    __slots__ = ("data", "is_measured", "packed")

    def __init__(self, data: Block) -> None:
        self.data = data
        self.packed: Block | None = None
        self.is_measured = False

    @property
    def is_done(self) -> bool:
        """Whether nothing needs `data` any more."""
        return self.is_measured and self.packed is not None


class Packing:
    """One layer on its way: `begin`, then `admit` and `visit` every segment, then `end`.

    `begin`, `admit`, `taken` and `end` are for one thread; segments are visited by any. What is
    measured and hashed in order is done by whoever comes by. `free` is given every segment's data
    when it is not needed any more, in whatever thread that is.
    """

    def __init__(self, options: CompressionOptions, free: Callable[[Block], None] | None = None):
        self._compression = options.compression
        self._codec = codec_for(options)
        self._free = free
        self._tar, self._blob = Sha256(), Sha256()
        self._tar_size, self._blob_size, self._crc32 = 0, 0, 0
        self._measuring = InOrder(self._measure, lambda _: True)
        self._sealing = InOrder(self._seal, lambda segment: segment.is_done)
        self._sealed: deque[Block] = deque()
        self._held = 0

    def begin(self) -> Block:
        """The start of the blob; may be empty."""
        return self._counted(self._codec.header)

    def admit(self, data: Block) -> Segment:
        """The next segment of the tar, which is to be visited once."""
        segment = Segment(data)
        self._held += 1
        self._measuring.add(segment)
        self._sealing.add(segment)
        return segment

    def measure(self) -> None:
        """Measure what was admitted; a visit does it as well."""
        self._measuring.come_by()

    def visit(self, segment: Segment) -> None:
        """Pack a segment, and do what else is due."""
        self.measure()
        segment.packed = self._codec.pack(segment.data)
        self._sealing.come_by()

    def taken(self) -> Iterator[Block]:
        """The blob's next chunks, one for each segment, as far as there are any."""
        while self._sealed:
            self._held -= 1
            yield self._sealed.popleft()

    @property
    def held(self) -> int:
        """The segments in memory: admitted, and their chunks not taken yet."""
        return self._held

    def end(self) -> Block:
        """The end of the blob, once everything was visited."""
        return self._counted(self._codec.trailer(self._crc32, self._tar_size))

    @property
    def diff_id(self) -> Digest:
        """Of the tar, once everything was visited."""
        return Digest(self._tar.hexdigest())

    @property
    def packed(self) -> Packed:
        """What was made; after the end."""
        bare = self._compression is Compression.NONE
        return Packed(
            digest=self.diff_id if bare else Digest(self._blob.hexdigest()),
            size=self._blob_size,
            diff_id=self.diff_id,
        )

    def _measure(self, segment: Segment) -> None:
        self._tar.update(segment.data)
        self._tar_size += len(segment.data)
        self._crc32 = self._codec.crc32(segment.data, self._crc32)
        segment.is_measured = True

    def _seal(self, segment: Segment) -> None:
        data, segment.data = segment.data, b""
        self._sealed.append(self._counted(segment.packed or b""))
        if self._free is not None:
            self._free(data)

    def _counted(self, chunk: Block) -> Block:
        if self._compression is not Compression.NONE:
            self._blob.update(chunk)
        self._blob_size += len(chunk)
        return chunk


def check_diff_id(actual: Digest, expected: Digest | None, origin: str) -> None:
    """Raises ContentMismatch when a layer is not what its source announced."""
    if expected is not None and actual != expected:
        raise ContentMismatch(
            f"layer {expected}, read from the {origin}, has the digest {actual}",
            hint="it was changed or damaged after it was made; build or pull the image again",
        )
