"""Does a pattern occur in a text? google-re2 answers where it is installed, else our automaton."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from longshore.plan.goregex.automaton import Automaton
from longshore.plan.goregex.faults import NotAPattern, TooMuch
from longshore.plan.goregex.nodes import Node
from longshore.plan.goregex.syntax import parse_pattern

Find = Callable[[str], bool]

_LONGEST = 10_000


class Pattern(Struct, frozen=True):
    """A compiled pattern; one that does not compile finds nothing and has a `problem`.

    `find` takes a text without surrogates (see `readable`).
    """

    find: Find
    problem: str | None = None


@lru_cache(maxsize=512)
def compile_pattern(pattern: str, *, prefer_re2: bool = True) -> Pattern:
    """Compile as Go 1.19 would. Never raises: what does not compile matches nothing (T-29)."""
    if len(pattern) > _LONGEST:
        return _useless(f"it is longer than {_LONGEST} characters")
    if not _is_utf8(pattern):
        return _useless("it is not UTF-8")
    re2_find = _re2(pattern) if prefer_re2 else None
    # RE2 looks at bytes, and finds "no edge of a word" in the middle of a character.
    favourite = None if "\\B" in pattern else re2_find
    try:
        node = parse_pattern(pattern)
        return Pattern(favourite or _automaton(node))
    except NotAPattern as fault:
        return _useless(str(fault))
    except TooMuch as fault:
        return Pattern(re2_find) if re2_find else _useless(str(fault))


def _useless(problem: str) -> Pattern:
    return Pattern(lambda _: False, problem)


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def readable(text: str) -> str:
    """The text as Go reads it: bytes that are no UTF-8 are U+FFFD, each."""
    if _is_utf8(text):
        return text
    return "".join(each if _is_utf8(each) else "\ufffd" for each in text)


def _automaton(node: Node) -> Find:
    return Automaton.of(node).occurs_in


def _re2(pattern: str) -> Find | None:
    """google-re2, or None where it is not installed or does not compile the pattern."""
    try:
        import re2
    except ImportError:
        return None
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 26
    try:
        compiled = re2.compile(pattern.encode(), options)
    except re2.error:
        return None
    return lambda text: compiled.search(text.encode()) is not None
