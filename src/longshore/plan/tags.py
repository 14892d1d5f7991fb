"""What may stand behind the colon of an image reference."""

from __future__ import annotations

import re
from typing import Final

LONGEST_TAG: Final = 128
"""Bytes (OCI distribution spec, "Pulling manifests")."""

_ILLEGAL = re.compile(r"[^A-Za-z0-9_.-]")


def sanitise_tag(text: str) -> str:
    """The text as an image tag: illegal characters removed, not replaced (P-13, Q-20).

    Leading ``.`` and ``-`` go too, and what exceeds 128 bytes. May be empty, which the caller
    must refuse.
    """
    return _ILLEGAL.sub("", text).lstrip(".-")[:LONGEST_TAG]
