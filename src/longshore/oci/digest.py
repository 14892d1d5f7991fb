"""Content digests: the value, and the check of bytes while they flow."""

from __future__ import annotations

import hashlib
import re
from typing import ClassVar

from msgspec import Struct

from longshore.errors import ContentMismatch, InvalidValue
from longshore.oci.sha256 import Sha256

_HEX = re.compile(r"[0-9a-f]{64}")


class Digest(Struct, frozen=True, order=True):
    """A sha256 digest (OCI image spec, "Digests"); `hex` is 64 lower-case hexadecimal digits.

    Make one with `parse` or `of`; every other way is checked too, so an invalid one cannot exist.
    sha512 and other algorithms raise InvalidValue: no registry in use answers with them.
    """

    hex: str

    algorithm: ClassVar[str] = "sha256"

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hex):
            raise _invalid(f"{self.algorithm}:{self.hex}")

    @classmethod
    def parse(cls, text: str) -> Digest:
        """The digest written ``sha256:<64 hex>``; raises InvalidValue for anything else."""
        algorithm, colon, digits = text.partition(":")
        if algorithm != cls.algorithm or not colon:
            raise _invalid(text)
        return cls(digits)

    @classmethod
    def of(cls, content: bytes) -> Digest:
        """The digest of `content`."""
        return cls(hashlib.sha256(content).hexdigest())

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def _invalid(text: str) -> InvalidValue:
    return InvalidValue(
        f'"{text[:100]}" is not a digest',
        hint='a digest is written "sha256:" and 64 hexadecimal digits in lower case',
    )


class Verifier:
    """Hashes and counts bytes as they flow past, then compares with what was announced.

    `size` None: only the digest is checked. `update` raises ContentMismatch as soon as there are
    more than `size` bytes, so that an endless answer is cut early; `finish` raises it when bytes
    are missing or the digest is another.
    """

    __slots__ = ("_digest", "_hash", "_size", "count")

    def __init__(self, digest: Digest, size: int | None = None) -> None:
        self._digest = digest
        self._size = size
        self._hash = Sha256()
        self.count = 0

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        self._hash.update(data)
        self.count += len(data)
        if self._size is not None and self.count > self._size:
            raise self._mismatch(f"more than the {self._size} bytes announced")

    def finish(self) -> None:
        """Compare; call it once, after the last byte."""
        if self._size is not None and self.count != self._size:
            raise self._mismatch(f"{self.count} bytes instead of {self._size}")
        actual = self._hash.hexdigest()
        if actual != self._digest.hex:
            raise self._mismatch(f"content with the digest {Digest.algorithm}:{actual}")

    def _mismatch(self, what: str) -> ContentMismatch:
        return ContentMismatch(f"{self._digest} was announced, but what came is {what}")
