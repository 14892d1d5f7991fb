"""The flags of a group: ``(?i)``, ``(?m-s:…)``."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from longshore.plan.goregex.faults import NotAPattern


class Flags(Struct, frozen=True, kw_only=True):
    """``i``, ``m`` and ``s``; ``U`` does not change whether a pattern occurs."""

    fold: bool = False
    lines: bool = False
    dot_all: bool = False


def flags_of(letters: str, flags: Flags) -> Flags:
    """The flags after ``(?letters``; raises NotAPattern."""
    on, minus, off = letters.partition("-")
    if minus and not off:
        raise NotAPattern(f"(?{letters} takes no flag away")
    for letter in on:
        flags = _set(flags, letter, True)
    for letter in off:
        flags = _set(flags, letter, False)
    return flags


def _set(flags: Flags, letter: str, value: bool) -> Flags:
    match letter:
        case "i":
            return replace(flags, fold=value)
        case "m":
            return replace(flags, lines=value)
        case "s":
            return replace(flags, dot_all=value)
        case "U":
            return flags
    raise NotAPattern(f"there is no flag {letter}, only i, m, s and U")
