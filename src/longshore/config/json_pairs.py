"""JSON's two escapes for a character beyond 16 bits, which YAML does not know (F-14); pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache

from msgspec import Struct

_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*+)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)
_SAVED = len(r"\ud83c\udf89") - len(r"\U0001f389")


class Joined(Struct, frozen=True):
    """A text with one escape for each pair; `ends` are the indices behind these."""

    text: str
    ends: Sequence[int]

    def original(self, index: int) -> int:
        """Where what is at `index` stands in the text with the pairs."""
        return index + _SAVED * bisect_right(self.ends, index)


def joined(text: str) -> Joined:
    """`text` as YAML reads it. Only what is a list or map in brackets is taken for JSON."""
    if text.lstrip()[:1] not in ("{", "["):
        return Joined(text, [])
    ends: list[int] = []

    def one(found: re.Match[str]) -> str:
        ends.append(found.end() - _SAVED * (len(ends) + 1))
        return found[1] + _escape(found[2], found[3])

    return Joined(_PAIR.sub(one, text), ends)


@cache
def _escape(high: str, low: str) -> str:
    return rf"\U{0x10000 + (int(high, 16) - 0xD800 << 10) + int(low, 16) - 0xDC00:08x}"
