"""Sets of characters: ``a``, ``.``, ``[a-z]``, ``\\d``, ``[[:alpha:]]``, ``\\pL``."""

from __future__ import annotations

import unicodedata
from typing import Final

from msgspec import Struct

from longshore.plan.goregex.folding import same_but_for_case

Range = tuple[str, str]

_MAJOR: Final = {
    "C": "cfos",
    "L": "lmotu",
    "M": "cen",
    "N": "dlo",
    "P": "cdefios",
    "S": "ckmo",
    "Z": "lps",
}
CATEGORIES: Final = frozenset(
    major + minor for major, minors in _MAJOR.items() for minor in ("", *minors)
)
"""The general categories Go knows by name; C is without the unassigned characters."""

ANY: Final = ("\0", "\U0010ffff")

PERL: Final[dict[str, tuple[Range, ...]]] = {
    "d": (("0", "9"),),
    "s": (("\t", "\n"), ("\f", "\r"), (" ", " ")),
    "w": (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")),
}
"""ASCII only, in RE2."""

POSIX: Final[dict[str, tuple[Range, ...]]] = {
    "alnum": (("0", "9"), ("A", "Z"), ("a", "z")),
    "alpha": (("A", "Z"), ("a", "z")),
    "ascii": (("\0", "\x7f"),),
    "blank": (("\t", "\t"), (" ", " ")),
    "cntrl": (("\0", "\x1f"), ("\x7f", "\x7f")),
    "digit": (("0", "9"),),
    "graph": (("!", "~"),),
    "lower": (("a", "z"),),
    "print": ((" ", "~"),),
    "punct": (("!", "/"), (":", "@"), ("[", "`"), ("{", "~")),
    "space": (("\t", "\r"), (" ", " ")),
    "upper": (("A", "Z"),),
    "word": PERL["w"],
    "xdigit": (("0", "9"), ("A", "F"), ("a", "f")),
}


class Item(Struct, frozen=True, kw_only=True):
    """Part of a set: ranges, or a general category; `negated` for ``\\D`` and ``[:^alpha:]``."""

    ranges: tuple[Range, ...] = ()
    category: str = ""
    negated: bool = False

    def holds(self, variants: frozenset[str]) -> bool:
        """Whether one of the variants of a character is in it."""
        return any(map(self._has, variants)) is not self.negated

    def _has(self, character: str) -> bool:
        if self.category:
            found = unicodedata.category(character)
            return found != "Cn" and found.startswith(self.category)
        return any(low <= character <= high for low, high in self.ranges)


class Characters(Struct, frozen=True, kw_only=True):
    """A set of characters; `folded` when case does not count."""

    items: tuple[Item, ...]
    negated: bool = False
    folded: bool = False

    def holds(self, character: str) -> bool:
        """Whether the set has this character."""
        variants = same_but_for_case(character) if self.folded else frozenset({character})
        return any(item.holds(variants) for item in self.items) is not self.negated


def single(character: str, *, folded: bool) -> Characters:
    """The set of one character."""
    return Characters(items=(Item(ranges=((character, character),)),), folded=folded)
