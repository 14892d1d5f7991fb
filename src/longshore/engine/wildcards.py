r"""Expressions with many wildcards, matched in a time that no file name can make long; pure.

Python's `re` tries every way to share a name out among wildcards: twelve of them in one pattern and
a long name keep it busy for years, and nothing interrupts it. Here all places that a pattern may
have come to are followed at once, as Go's expressions do: a number holds them, a bit for each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

ANY_DIRECTORIES: Final = "(?:.*/)?"

_ATOM: Final = re.compile(
    rf"{re.escape(ANY_DIRECTORIES)}|(\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|.)(\*?)", re.DOTALL
)
_WIDTHLESS: Final = frozenset({"^", r"\b", r"\B", r"\A", r"\Z"})
_FEW: Final = 3
_FEW_DIRECTORIES: Final = 2
"""Wildcards in all, and those over directories, that `re` deals with faster, whatever the name."""


class Wildcards(Struct, frozen=True):
    """An expression of single characters, classes, their repetition by ``*``, what has no width,
    and `ANY_DIRECTORIES`; each as (single character, whether it is repeated)."""

    atoms: tuple[tuple[str, bool], ...]

    @staticmethod
    def of(expression: str) -> Wildcards | None:
        """None where the wildcards are few."""
        atoms = tuple(
            (match[1] or ANY_DIRECTORIES, bool(match[2])) for match in _ATOM.finditer(expression)
        )
        deep = expression.count(ANY_DIRECTORIES)
        many = deep + sum(repeated for _, repeated in atoms)
        return Wildcards(atoms) if many > _FEW or deep > _FEW_DIRECTORIES else None

    def match(self, text: str) -> bool:
        """Whether the expression is all of `text`."""
        places, text_has = 1, _Text.of(text)
        for one, repeated in self.atoms:
            if one == ANY_DIRECTORIES:
                inside = _run(places, text_has.mask("."))
                places |= (inside & text_has.mask("/")) << 1
            elif one in _WIDTHLESS:
                places &= text_has.boundaries(one)
            elif repeated:
                places = _run(places, text_has.mask(one))
            else:
                places = (places & text_has.mask(one)) << 1
        return bool(places >> len(text))


class _Text(Struct, frozen=True):
    """Bit i of a mask is character i; `characters` has the mask of each that occurs."""

    text: str
    characters: Mapping[str, int]

    @staticmethod
    def of(text: str) -> _Text:
        characters: dict[str, int] = {}
        for place, character in enumerate(text):
            characters[character] = characters.get(character, 0) | 1 << place
        return _Text(text, characters)

    def mask(self, one: str) -> int:
        """Where the expression of a single character is."""
        fits = re.compile(one, re.ASCII).fullmatch
        return sum(mask for character, mask in self.characters.items() if fits(character))

    def boundaries(self, one: str) -> int:
        """Before which characters, or at the end, an expression without width is."""
        fits = re.compile(one, re.ASCII).match
        return sum(1 << place for place in range(len(self.text) + 1) if fits(self.text, place))


def _run(places: int, mask: int) -> int:
    """`places`, and all that are reached from them over characters of `mask`: the carry of an
    addition runs along them."""
    starts = places & mask
    return places | ((starts + mask) ^ mask) | starts
