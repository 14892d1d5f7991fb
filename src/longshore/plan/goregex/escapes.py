"""What stands behind a backslash, in and outside character classes."""

from __future__ import annotations

import re
from typing import Final

from longshore.plan.goregex.characters import ANY, CATEGORIES, PERL, Item
from longshore.plan.goregex.faults import NotAPattern, TooMuch

_CONTROL: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CHARACTER = re.compile(
    r"\\(?:([1-7][0-7]{1,2}|0[0-7]{0,2})|x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]+)\}|(.))", re.DOTALL
)
_PROPERTY = re.compile(r"\\([pP])(?:\{([^}]*)\}|([^{]))", re.DOTALL)
_REFUSED: Final = {
    "Z": r"\Z does not exist in RE2, \z is the end of the text",
    "C": r"\C (a single byte) does not exist in Go",
    "G": r"\G does not exist in RE2",
    "K": r"\K does not exist in RE2",
    "R": r"\R does not exist in RE2",
    "X": r"\X does not exist in RE2",
    "h": r"\h does not exist in RE2, write [ \t]",
}


def escaped_set(pattern: str, at: int) -> tuple[Item, int] | None:
    """``\\d``, ``\\PL`` and their like at this place, and where they end; None if it is none."""
    letter = pattern[at + 1 : at + 2]
    if letter and letter.lower() in PERL:
        return Item(ranges=PERL[letter.lower()], negated=letter.isupper()), at + 2
    if letter in ("p", "P"):
        return _property(pattern, at)
    return None


def _property(pattern: str, at: int) -> tuple[Item, int]:
    found = _PROPERTY.match(pattern, at)
    if found is None:
        raise NotAPattern(f"{pattern[at : at + 3]} names no class of characters")
    name = found[3] or found[2] or ""
    negated = found[1] == "P"
    if name.startswith("^") and found[2]:
        name, negated = name[1:], not negated
    if name == "Any":
        return Item(ranges=(ANY,), negated=negated), found.end()
    if name in CATEGORIES:
        return Item(category=name, negated=negated), found.end()
    if not re.fullmatch(r"[A-Z][A-Za-z_]+", name):
        raise NotAPattern(f"{found[0]} names no class of characters")
    raise TooMuch(f"{found[0]} needs google-re2")


def escaped_character(pattern: str, at: int) -> tuple[str, int]:
    """The character that a backslash and what follows stand for, and where that ends."""
    found = _CHARACTER.match(pattern, at)
    if found is None:
        raise NotAPattern("a backslash at the end")
    octal, two, braced, other = found.groups()
    if octal:
        return chr(int(octal, 8)), found.end()
    if two or braced:
        return _code_point(int(two or braced, 16), found[0]), found.end()
    if other in _CONTROL:
        return _CONTROL[other], found.end()
    if other.isascii() and not other.isalnum():
        return other, found.end()
    if other in "123456789":
        raise NotAPattern(f"\\{other} (what a group matched) does not exist in RE2")
    raise NotAPattern(_REFUSED.get(other, f"\\{other} has no meaning"))


def _code_point(number: int, text: str) -> str:
    if number > 0x10FFFF:
        raise NotAPattern(f"{text} is no character")
    return chr(number)
