"""Upper and lower case, one character for one (Unicode's simple case folding)."""

from __future__ import annotations

from functools import cache

_LAST_WITH_CASE = 0x1E943
_TURKISH = "\u0130\u0131"
_BEYOND_ASCII = {"k": "\u212a", "s": "\u017f"}


def same_but_for_case(character: str) -> frozenset[str]:
    """The character and all that ``(?i)`` takes for the same."""
    if character.isascii():
        lower = character.lower()
        return frozenset({lower, lower.upper(), _BEYOND_ASCII.get(lower, lower)})
    return _orbits().get(character, frozenset({character}))


@cache
def _orbits() -> dict[str, frozenset[str]]:
    """All characters beyond ASCII that have others; takes a few hundredths of a second, once."""
    families: dict[str, set[str]] = {}
    for number in range(0x80, _LAST_WITH_CASE + 1):
        character = chr(number)
        key = _key(character)
        if key != character and character not in _TURKISH:
            families.setdefault(key, {key, _upper(key)}).add(character)
    return {member: frozenset(family) for family in families.values() for member in family}


def _upper(character: str) -> str:
    upper = character.upper()
    return upper if len(upper) == 1 else character


def _key(character: str) -> str:
    upper = _upper(character)
    lower = upper.lower()
    return lower if len(lower) == 1 else upper
