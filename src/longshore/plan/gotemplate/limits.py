"""Bounds that no honest tag or build argument reaches; they end runaway templates."""

from __future__ import annotations

from typing import Final

from longshore.errors import InvalidValue

LONGEST_SOURCE: Final = 100_000
"""Characters of a template."""

LONGEST_TEXT: Final = 1 << 20
"""Bytes of an expansion, and of any text made on the way."""

DEEPEST: Final = 100
"""Blocks inside one another when parsed; blocks, pipelines and template calls when run."""

DEEPEST_PARENTHESES: Final = 30
"""Parentheses inside one another."""

MOST_STEPS: Final = 100_000
"""Commands and texts that one expansion may run."""


def bounded(text: bytes) -> bytes:
    """The text; raises InvalidValue when it is longer than any text may become."""
    if len(text) > LONGEST_TEXT:
        raise InvalidValue(f"the template makes a text of more than {LONGEST_TEXT} bytes")
    return text
