"""Reading the base64 of jet's formats, which tolerate white space anywhere (spec E-10)."""

from __future__ import annotations

import base64
import binascii

from longshore.errors import DecryptionFailed


def decode_base64(text: bytes, name: str) -> bytes:
    """The bytes that `text` stands for; DecryptionFailed names `name` when it is no base64."""
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise DecryptionFailed(
            f"cannot decrypt {name}: it is not an encrypted file",
            hint="make one with `longshore encrypt IN OUT`; a file that was encrypted is one long "
            "line of base64, perhaps below a line with its format",
        ) from None
