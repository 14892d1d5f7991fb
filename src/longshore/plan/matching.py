"""Which build tags a step's ``tag`` or ``exclude`` means (spec T-29, T-30)."""

from __future__ import annotations

from longshore.plan.goregex import is_pattern, problem_of, search


def matches(pattern: str, build_tag: str | None) -> bool:
    """Whether `pattern` means `build_tag`; never for a build without a tag (T-29, T-31).

    The complete text counts first; only a pattern with ``^`` or ``$`` is a regular expression
    (RE2), searched for anywhere. One that does not compile matches nothing, silently.
    """
    if build_tag is None:
        return False
    return pattern == build_tag or (is_pattern(pattern) and search(pattern, build_tag))


def pattern_problem(pattern: str) -> str | None:
    """Why a value can hardly mean what its author thinks, in words for a warning; or None (T-30)."""
    if not is_pattern(pattern):
        return None
    return problem_of(pattern)
