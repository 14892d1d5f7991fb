"""A layer as the blob that is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

from longshore.errors import EngineError
from longshore.image.layer import Block
from longshore.image.packing import Packed
from longshore.oci.digest import Digest


class NoProcess(EngineError):
    """The machine, or a limit of it, gives us no process more."""


class CompressedLayer(AsyncIterator[Block]):
    """A blob as it is made: iterate once, to the end, then `packed` tells what it was.

    Iteration raises ContentMismatch when the bytes do not have the diff ID (or, for blobs that
    came packed, the digest) the source announced; then not all chunks have come.
    """

    def __init__(self) -> None:
        self._packed: Packed | None = None

    @property
    def packed(self) -> Packed:
        """What was made; only after the end."""
        if self._packed is None:
            raise RuntimeError("a blob's digest is known only after its last chunk")
        return self._packed

    @property
    def digest(self) -> Digest:
        """Of the blob; only after the end."""
        return self.packed.digest

    @property
    def size(self) -> int:
        """Of the blob, in bytes; only after the end."""
        return self.packed.size

    @property
    def diff_id(self) -> Digest:
        """Of the tar, as it was read; only after the end."""
        return self.packed.diff_id
