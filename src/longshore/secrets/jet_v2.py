"""Reading the format of jet 2.6.0 and later, whose inner layout is not public (spec 6.4, Q-2).

Known from documentation and public files: a first line ``codeship:v2``, then base64 without
padding to blocks, and a checksum over the decrypted data. Where the checksum stands and which one
it is, is not known; so every likely arrangement is tried and one is believed only when its
checksum verifies. No public file with its key exists to prove any of them.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from longshore.errors import DecryptionFailed
from longshore.secrets.base64_text import decode_base64
from longshore.secrets.jet_v1 import IV_BYTES, decrypt_cfb
from longshore.secrets.key import AesKey

MARKER: Final = b"codeship:v2"

Checksum = Callable[[bytes, bytes], bytes]
"""Key and plain bytes to checksum bytes."""

_DIGESTS: Final = ("sha256", "sha1", "md5", "sha512")


def decrypt(text: bytes, key: AesKey, name: str) -> bytes:
    """The plain bytes of `text`, which begins with `MARKER`.

    Raises DecryptionFailed when no known arrangement has a checksum that verifies (E-13, E-14).
    """
    raw = decode_base64(text[len(MARKER) :], name)
    for size, checksums in _CHECKSUMS.items():
        for expected, plain in _arrangements(raw, size, key):
            for checksum in checksums:
                if hmac.compare_digest(checksum(key.reveal(), plain), expected):
                    return plain
    raise DecryptionFailed(
        f"cannot decrypt {name} with {key.origin}: "
        "checksum for decrypted data is invalid, corrupt AES key or data",
        hint="if the key is right, this file's layout is one we do not know (it was never "
        "published): decrypt it once with the original jet, then run `longshore encrypt`",
    )


def _arrangements(raw: bytes, size: int, key: AesKey) -> Iterator[tuple[bytes, bytes]]:
    """Checksum and plain bytes under each layout of Q-2, for a checksum of `size` bytes."""
    if len(raw) < IV_BYTES + size:
        return
    iv, rest = raw[:IV_BYTES], raw[IV_BYTES:]
    whole = decrypt_cfb(iv, rest, key)
    yield whole[:size], whole[size:]  # IV || CFB(C || P)
    yield whole[-size:], whole[:-size]  # IV || CFB(P || C)
    yield rest[-size:], whole[:-size]  # IV || CFB(P) || C
    yield rest[:size], decrypt_cfb(iv, rest[size:], key)  # IV || C || CFB(P)
    after = raw[size:]
    yield raw[:size], decrypt_cfb(after[:IV_BYTES], after[IV_BYTES:], key)  # C || IV || CFB(P)


def _digest(algorithm: str) -> Checksum:
    return lambda _key, plain: hashlib.new(algorithm, plain, usedforsecurity=False).digest()


def _hmac(algorithm: str) -> Checksum:
    return lambda key, plain: hmac.digest(key, plain, algorithm)


def _crc32_big_endian(_key: bytes, plain: bytes) -> bytes:
    return zlib.crc32(plain).to_bytes(4, "big")


def _crc32_little_endian(_key: bytes, plain: bytes) -> bytes:
    return zlib.crc32(plain).to_bytes(4, "little")


_CHECKSUMS: Final[Mapping[int, tuple[Checksum, ...]]] = {
    **{
        hashlib.new(name, usedforsecurity=False).digest_size: (_digest(name), _hmac(name))
        for name in _DIGESTS
    },
    4: (_crc32_big_endian, _crc32_little_endian),
}
"""Checksums to try, by size in bytes: the most telling first, CRC-32 last."""
