"""Which build tags a step's ``tag`` or ``exclude`` means (spec T-29, T-30)."""

from __future__ import annotations

import re

_LOOKS_LIKE_A_PATTERN = re.compile(r"[\\*?\[\]|]|\.\+|\(.*\)|\{[0-9]+,?[0-9]*\}")
"""Git allows none of ``\\ * ? [`` in a name, and the rest is rare in names."""


def matches(pattern: str, build_tag: str | None) -> bool:
    """Whether `pattern` means `build_tag`; never for a build without a tag (T-29, T-31).

    The complete text counts first; only a pattern with ``^`` or ``$`` is a regular expression
    (RE2), searched for anywhere. One that does not compile matches nothing, silently.
    """
    if build_tag is None:
        return False
    if pattern == build_tag:
        return True
    return _is_anchored(pattern) and _occurs(pattern, build_tag)


def pattern_problem(pattern: str) -> str | None:
    """What will surprise the author of a value, to be said behind it; None if nothing (T-30)."""
    if _is_anchored(pattern):
        from longshore.plan.goregex.search import compile_pattern

        problem = compile_pattern(pattern).problem
        if problem is None:
            return None
        return f"never matches, because it is no RE2 regular expression: {problem}"
    if _LOOKS_LIKE_A_PATTERN.search(pattern):
        return (
            "looks like a regular expression but has neither ^ nor $, so it matches only a "
            "build tag of exactly this text"
        )
    return None


def _occurs(pattern: str, text: str) -> bool:
    # Most builds have no such pattern, and need not wait for what reads them.
    from longshore.plan.goregex.search import compile_pattern, readable

    return compile_pattern(pattern).find(readable(text))


def _is_anchored(pattern: str) -> bool:
    return "^" in pattern or "$" in pattern
