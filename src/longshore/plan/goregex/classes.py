"""Character classes in brackets."""

from __future__ import annotations

from longshore.plan.goregex.characters import POSIX, Characters, Item
from longshore.plan.goregex.escapes import escaped_character, escaped_set
from longshore.plan.goregex.faults import NotAPattern


def bracketed(pattern: str, at: int, *, folded: bool) -> tuple[Characters, int]:
    """The class whose ``[`` stands at this place, and where it ends."""
    start = at
    at += 1
    negated = pattern.startswith("^", at)
    at += negated
    items: list[Item] = []
    while not pattern.startswith("]", at) or not items:
        if at >= len(pattern):
            raise NotAPattern(f"{pattern[start:]} has no closing ]")
        item, at = _item(pattern, at)
        items.append(item)
    return Characters(items=tuple(items), negated=negated, folded=folded), at + 1


def _item(pattern: str, at: int) -> tuple[Item, int]:
    if pattern.startswith("[:", at) and (end := pattern.find(":]", at + 2)) >= 0:
        return _posix(pattern[at + 2 : end]), end + 2
    if pattern.startswith("\\", at) and (found := escaped_set(pattern, at)):
        return found
    low, end = _character(pattern, at)
    high = low
    if pattern.startswith("-", end) and pattern[end + 1 : end + 2] not in ("]", ""):
        high, end = _character(pattern, end + 1)
        if high < low:
            raise NotAPattern(f"the range {pattern[at:end]} runs backwards")
    return Item(ranges=((low, high),)), end


def _posix(name: str) -> Item:
    negated = name.startswith("^")
    ranges = POSIX.get(name[negated:])
    if ranges is None:
        raise NotAPattern(f"[:{name}:] names no class of characters")
    return Item(ranges=ranges, negated=negated)


def _character(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("\\", at):
        return escaped_character(pattern, at)
    return pattern[at], at + 1
