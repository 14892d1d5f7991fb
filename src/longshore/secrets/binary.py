"""Telling what was decrypted from the noise that a wrong key makes of it.

jet's first format has no checksum (spec E-8): text proves the key right, and so does the
signature of a known kind of binary file. Anything else may be noise.
"""

from __future__ import annotations

from typing import Final

_SIGNATURES: Final = (
    b"\x1f\x8b\x08",  # gzip
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"PK\x03\x04",  # zip, jar
    b"\xfe\xed\xfe\xed",  # Java key store
    b"\xce\xce\xce\xce",  # Java cryptography key store
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"SQLite format 3\0",
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",  # JPEG
    b"%PDF-",
)
_TAR_MAGIC: Final = (257, b"ustar")


def is_plausible(plain: bytes) -> bool:
    """Whether `plain` is UTF-8 without odd control characters, or a known kind of binary file."""
    return _is_text(plain) or _is_der(plain) or _has_signature(plain)


def _is_text(plain: bytes) -> bool:
    try:
        text = plain.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(ord(character) < 32 and character not in "\t\n\r\f\x1b" for character in text)


def _has_signature(plain: bytes) -> bool:
    offset, magic = _TAR_MAGIC
    return plain.startswith(_SIGNATURES) or plain[offset : offset + len(magic)] == magic


def _is_der(plain: bytes) -> bool:
    """Keys, certificates and PKCS#12: one ASN.1 SEQUENCE that fills the file (X.690, 8.1.3)."""
    if len(plain) < 4 or plain[0] != 0x30:
        return False
    size = plain[1] & 0x7F if plain[1] & 0x80 else 0
    if not 1 <= size <= 4:
        return False
    return int.from_bytes(plain[2 : 2 + size], "big") == len(plain) - 2 - size
