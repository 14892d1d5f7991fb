"""Names of files in a layer: data of the image, not trusted."""

from __future__ import annotations

import re
from typing import Final

_ODD: Final = re.compile(rb"^[./]|/[./]|/$")


def plain(name: bytes) -> bytes:
    """Without empty parts, ``.`` and ``..``: as in an archive."""
    return b"/".join(parts(name)) if _ODD.search(name) else name


def parts(name: bytes) -> list[bytes]:
    """What a name leads through, ``.`` and ``..`` resolved as in a file system's root."""
    found: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            del found[-1:]
        elif part not in (b"", b"."):
            found.append(part)
    return found


def shown(name: bytes) -> str:
    """For messages."""
    return name.decode(errors="backslashreplace")[:200]
