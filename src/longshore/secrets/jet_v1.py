"""The format of jet before 2.6.0: ``base64(IV || AES-256-CFB(key, IV, plain))`` (spec E-8).

Nothing in it tells a wrong key or a changed byte: that is why we do not write it by default.
"""

from __future__ import annotations

import base64
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from longshore.errors import DecryptionFailed
from longshore.secrets.base64_text import decode_base64
from longshore.secrets.key import AesKey

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # CFB moved to "decrepit" in cryptography 47 and left its old place in 49
    from cryptography.hazmat.primitives.ciphers.modes import CFB

IV_BYTES: Final = 16


def encrypt(plain: bytes, key: AesKey) -> bytes:
    """`plain` as jet 1.x wrote it: one line of base64 without a newline."""
    iv = os.urandom(IV_BYTES)
    encryptor = Cipher(AES(key.reveal()), CFB(iv)).encryptor()
    return base64.b64encode(iv + encryptor.update(plain) + encryptor.finalize())


def decrypt(text: bytes, key: AesKey, name: str) -> bytes:
    """The plain bytes, or garbage when `key` is not the one (the format cannot tell).

    Raises DecryptionFailed when `text` is not base64 of at least an initialisation vector.
    """
    raw = decode_base64(text, name)
    if len(raw) < IV_BYTES:
        raise DecryptionFailed(
            f"cannot decrypt {name}: it is too short for an encrypted file",
            hint="it may have been cut off; restore it from version control",
        )
    return decrypt_cfb(raw[:IV_BYTES], raw[IV_BYTES:], key)


def decrypt_cfb(iv: bytes, data: bytes, key: AesKey) -> bytes:
    """AES-256-CFB with 128-bit segments, as Go's ``cipher.NewCFBDecrypter``."""
    decryptor = Cipher(AES(key.reveal()), CFB(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()
