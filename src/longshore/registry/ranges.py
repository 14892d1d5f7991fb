"""The Range header of uploads, which is not the one of HTTP: ``0-1023``, both ends inclusive."""

from __future__ import annotations

import re
from typing import Final

_RANGE: Final = re.compile(r"(?:bytes=)?[ ]*0-([0-9]{1,18})")


def received(header: str | None) -> int:
    """How many bytes an upload has by its Range header (OCI distribution spec, end-13); 0 if none.

    distribution answers ``0-0`` for nothing and for one byte alike; it is taken for nothing, the
    likelier by far, and the digest at the end tells when it was not.
    """
    match = _RANGE.fullmatch((header or "").strip())
    last = int(match[1]) if match else 0
    return last + 1 if last else 0


def content_range(offset: int, length: int) -> str:
    """The Content-Range of a chunk (OCI distribution spec, "Pushing a blob in chunks")."""
    return f"{offset}-{offset + length - 1}"
