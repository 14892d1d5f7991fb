"""Searching with google-re2."""

from __future__ import annotations

import re2


def is_pattern(text: str) -> bool:
    """Whether a value of ``tag`` is a regular expression at all (T-29)."""
    return "^" in text or "$" in text


def problem_of(pattern: str) -> str | None:
    """Why the pattern does not compile, or None."""
    try:
        re2.compile(pattern, _options())
    except re2.error as fault:
        return str(fault)
    return None


def search(pattern: str, text: str) -> bool:
    """Whether the pattern occurs in the text; False when it does not compile."""
    try:
        return re2.compile(pattern, _options()).search(text) is not None
    except re2.error:
        return False


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options
