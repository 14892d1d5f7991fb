"""SHA-256, as fast in a thread that packs as in any other."""

from __future__ import annotations

import hashlib
from typing import Final

_ONE_BLOCK: Final = bytes(128)
"""Of SHA-512."""
_LONG: Final = 64 << 10
"""Bytes whose hashing takes a hundred times as long as that of the block."""


class Sha256:
    """hashlib's, of bytes that come one after the other.

    Processors have SHA-256 as instructions of the old (SSE) encoding, which are slower while the
    upper halves of vector registers are in use: by a third on AMD's Zen 4, more elsewhere. ISA-L
    leaves them so in whatever thread it was called (2.32.1, deflate and CRC-32;
    ``crc32_gzip_refl_by16_10.asm`` ends without ``vzeroupper``), and OpenSSL's SHA-256 does not
    clear them, but its SHA-512 does, which takes half a microsecond for a block.
    """

    __slots__ = ("_hash",)

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        if len(data) >= _LONG:
            hashlib.sha512(_ONE_BLOCK)
        self._hash.update(data)

    def hexdigest(self) -> str:
        """Of all that was taken so far."""
        return self._hash.hexdigest()
