"""Why a pattern cannot be used."""

from __future__ import annotations


class NotAPattern(Exception):
    """Go does not compile this; the message says why, in words for the author of the pattern."""


class TooMuch(Exception):
    """Go may well compile this, but our own automaton cannot."""
