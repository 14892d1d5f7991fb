"""Our own format: AES-256-GCM below a header line (docs/encryption-format.md, byte by byte).

::

    longshore:v1:aes-256-gcm LF
    base64(nonce[12] || ciphertext || tag[16]) . LF

The header line is the additional authenticated data. The cipher's key is derived from the
project's key with HKDF-SHA256 under the header as info, so that nothing learned from jet's
formats, which use the project's key itself, says anything about this one. The full stop makes
what remains of a file without its header something that no other format takes for its own.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from longshore.errors import DecryptionFailed, InvalidValue
from longshore.secrets.key import KEY_BYTES, AesKey

HEADER: Final = b"longshore:v1:aes-256-gcm\n"
END: Final = b".\n"
MAX_PLAIN_BYTES: Final = 2**31 - 64
"""What one call of the cipher can take; an environment or credentials file is kilobytes."""

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


def encrypt(plain: bytes, key: AesKey) -> bytes:
    """`plain` sealed under a fresh random nonce; InvalidValue above `MAX_PLAIN_BYTES`."""
    if len(plain) > MAX_PLAIN_BYTES:
        raise InvalidValue(
            "the input is too large: at most 2 GiB can be encrypted at once",
            hint="encrypt keys and passwords, and large files with a tool made for that",
        )
    nonce = os.urandom(_NONCE_BYTES)
    sealed = _cipher(key).encrypt(nonce, plain, HEADER)
    return HEADER + base64.b64encode(nonce + sealed) + END


def decrypt(text: bytes, key: AesKey, name: str) -> bytes:
    """The plain bytes of `text`, which begins with ``longshore:``.

    Raises DecryptionFailed when the key is another, or when any bit of `text` is not as it was
    written: header, base64 (also its unused bits), end, white space.
    """
    raw = _unwrap(text, name)
    try:
        return _cipher(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], HEADER)
    except InvalidTag:
        raise DecryptionFailed(
            f"cannot decrypt {name} with {key.origin}: wrong key, or the file was changed",
            hint="use the key it was encrypted with, or restore the file from version control",
        ) from None


def _cipher(key: AesKey) -> AESGCM:
    derivation = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=HEADER)
    return AESGCM(derivation.derive(key.reveal()))


def _unwrap(text: bytes, name: str) -> bytes:
    if not text.startswith(HEADER):
        raise _unknown_header(text, name)
    if not text.endswith(END):
        raise _damaged(name, "its end is missing or changed")
    body = text[len(HEADER) : -len(END)]
    try:
        raw = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise _damaged(name, "the second line is not base64") from None
    if base64.b64encode(raw) != body or len(raw) < _NONCE_BYTES + _TAG_BYTES:
        raise _damaged(name, "the second line was changed")
    return raw


def _unknown_header(text: bytes, name: str) -> DecryptionFailed:
    if text.startswith(HEADER.rstrip() + b"\r\n"):
        return DecryptionFailed(
            f"cannot decrypt {name}: its line ends were changed to CR LF",
            hint="keep git from converting it: write `*.encrypted -text` into .gitattributes",
        )
    return DecryptionFailed(
        f"cannot decrypt {name}: its first line names a format that this version cannot read",
        hint="a newer longshore may have written it, or the line was changed; "
        f"expected {HEADER.decode().strip()!r}",
    )


def _damaged(name: str, what: str) -> DecryptionFailed:
    return DecryptionFailed(
        f"cannot decrypt {name}: {what}", hint="restore the file from version control"
    )
