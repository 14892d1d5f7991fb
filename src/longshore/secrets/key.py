"""The AES key of a project: what `codeship.aes` holds (spec 6.1)."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import Final, NoReturn

from longshore.errors import KeyUnavailable
from longshore.secrets.secret import MASK

KEY_FILE: Final = "codeship.aes"
KEY_BYTES: Final = 32


class AesKey:
    """A 256-bit key that masks itself like `Secret`; `origin` names where it came from.

    Raises KeyUnavailable unless there are exactly 32 bytes (spec E-2).
    """

    __slots__ = ("_key", "origin")

    def __init__(self, key: bytes, *, origin: str = KEY_FILE) -> None:
        if len(key) != KEY_BYTES:
            raise KeyUnavailable(
                f"jet: invalid AES key in {origin}: expected {KEY_BYTES} bytes, got {len(key)}",
                hint="the key is one line of 44 base64 characters, of which the last is =",
            )
        self._key = key
        self.origin = origin

    @classmethod
    def from_text(cls, text: str, *, origin: str = KEY_FILE) -> AesKey:
        """The key that base64 `text` holds; white space and a byte order mark are ignored."""
        compact = "".join(text.removeprefix("\ufeff").split())
        try:
            key = base64.b64decode(compact, validate=True)
        except (binascii.Error, ValueError):
            # The cause would show the text, and the text is nearly the key.
            raise KeyUnavailable(
                f"jet: invalid AES key in {origin}: it is not base64",
                hint="the key is one line of 44 base64 characters, of which the last is =",
            ) from None
        return cls(key, origin=origin)

    def reveal(self) -> bytes:
        """The 32 bytes."""
        return self._key

    def reveal_text(self) -> str:
        """The content of a key file: 44 base64 characters without a newline."""
        return base64.b64encode(self._key).decode("ascii")

    def __repr__(self) -> str:
        return f"AesKey({MASK}, origin={self.origin!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AesKey):
            return NotImplemented
        return hmac.compare_digest(self._key, other._key)

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an AesKey is not pickled")


def generate_key() -> AesKey:
    """A fresh random key."""
    return AesKey(secrets.token_bytes(KEY_BYTES))
