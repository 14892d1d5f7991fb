"""Encrypted text in any of its formats: which one it is, and what is inside (spec 6.3 to 6.5)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from longshore.errors import DecryptionFailed
from longshore.secrets.binary import is_plausible
from longshore.secrets.key import AesKey

# The formats import the cipher library, which takes longer to load than most commands take to
# run; so each is imported when it is met.

_V2_MARKER: Final = b"codeship:v2"
_SEALED_MARKER: Final = b"longshore:"
_JET_V1: Final = re.compile(rb"[A-Za-z0-9+/]{22,}={0,2}")


class Format(StrEnum):
    """A format we can write."""

    LONGSHORE = "longshore"
    JET_V1 = "jet-v1"


def authenticates(text: bytes) -> bool:
    """Whether the format of `text` tells a wrong key; jet's first one does not (spec E-8)."""
    return text.startswith((_V2_MARKER, _SEALED_MARKER))


def is_encrypted(text: bytes) -> bool:
    """Whether `text` has the shape of any format.

    Jet's first one is a single line of base64, which a name of a variable is as well; random bytes
    have letters of both cases, and more of them than a name.
    """
    if authenticates(text):
        return True
    line = text.strip()
    whole = len(line) % 4 == 0 and _JET_V1.fullmatch(line) is not None
    return whole and line != line.upper() and line != line.lower()


def encrypt(plain: bytes, key: AesKey, format: Format = Format.LONGSHORE) -> bytes:  # noqa: A002 -- the option is called so
    """`plain`, encrypted: the content of a file, or of an inline value."""
    if format is Format.JET_V1:
        from longshore.secrets import jet_v1

        return jet_v1.encrypt(plain, key)
    from longshore.secrets import sealed

    return sealed.encrypt(plain, key)


def decrypt(text: bytes, key: AesKey, name: str) -> bytes:
    """The plain bytes of `text` in whichever format it is; `name` is used in messages.

    Raises DecryptionFailed for a wrong key or changed text; the first format of jet cannot tell
    and gives garbage instead: use `decrypt_text` where text is expected.
    """
    if text.startswith(_SEALED_MARKER):
        from longshore.secrets import sealed

        return sealed.decrypt(text, key, name)
    if text.startswith(_V2_MARKER):
        from longshore.secrets import jet_v2

        return jet_v2.decrypt(text, key, name)
    from longshore.secrets import jet_v1

    return jet_v1.decrypt(text, key, name)


def decrypt_text(text: bytes, key: AesKey, name: str) -> str:
    """As `decrypt`, for UTF-8 content; what is none was decrypted with a wrong key (spec E-9)."""
    plain = decrypt(text, key, name)
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError:
        # Neither the bytes nor the cause, which holds them, may be shown.
        raise DecryptionFailed(
            f"cannot decrypt {name} with {key.origin}: wrong key?",
            hint="the result is not text (jet said: environment contains non-utf8 characters); "
            "use the key the file was encrypted with",
        ) from None


def decrypt_inline(text: str, key: AesKey, name: str) -> str:
    """As `decrypt_text`, for a value written in a YAML file (spec 6.5).

    YAML folds and trims lines, so white space is put back to where the format wants it.
    """
    words = text.split()
    if words and words[0].encode().startswith((_SEALED_MARKER, _V2_MARKER)):
        text = f"{words[0]}\n{''.join(words[1:])}\n"
    return decrypt_text(text.encode(), key, name)


def decrypt_file(text: bytes, key: AesKey, name: str, *, binary: bool = False) -> bytes:
    """As `decrypt`, for any kind of file (spec E-6).

    A file in jet's first format that gives neither text nor a known kind of binary file raises
    DecryptionFailed, as a wrong key does that, unless `binary` says that it may be anything.
    """
    plain = decrypt(text, key, name)
    if binary or authenticates(text) or is_plausible(plain):
        return plain
    raise DecryptionFailed(
        f"cannot decrypt {name} with {key.origin}: wrong key?",
        hint="the result is neither text nor a file of a known kind, and this old format cannot "
        "tell; if it should not be text, say --binary",
    )
