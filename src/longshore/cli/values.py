"""What flags take: the types of their values, each with a sentence for what it cannot take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

_NUMBER = r"(\d+(?:\.\d+)?)"
_DURATION = f"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?"


class OneOf(click.Choice[str]):
    """One of a few words, spelt as they are."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word; any other is a usage error that lists them."""
        if value not in self.choices:
            *most, last = self.choices
            self.fail(f'"{value}" is not {", ".join(most)} or {last}', param, ctx)
        return str(value)


class Whole(click.IntRange):
    """A whole number from `min`, up to `max` where there is one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; anything else is a usage error that tells the range."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            end = "" if self.max is None else f" to {self.max}"
            self.fail(f'"{value}" is no whole number from {self.min}{end}', param, ctx)


class Duration(click.ParamType[float]):
    """``90``, ``90s``, ``5m``, ``1h30m``: seconds as a float; `zero`: ``0s`` as well."""

    name = "duration"

    def __init__(self, *, zero: bool = False) -> None:
        self.zero = zero

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds; anything that is no duration, or may not be zero, is a usage error."""
        import re

        if isinstance(value, int | float):
            return float(value)
        text = f"{value}s" if re.fullmatch(_NUMBER, str(value)) else str(value)
        whole = re.fullmatch(_DURATION, text)
        parts = [float(part or 0) for part in whole.groups()] if whole else [0.0, 0.0, 0.0]
        total = parts[0] * 3600 + parts[1] * 60 + parts[2]
        if not whole or not any(whole.groups()):
            self.fail(f'"{value}" is no duration; write for example 90s, 5m or 1h30m', param, ctx)
        if not total and not self.zero:
            self.fail(f'"{value}" leaves no time; write for example 90s, 5m or 1h30m', param, ctx)
        return total


def nearest(word: str, known: Sequence[str]) -> str:
    """``; did you mean "…"?`` with the word of `known` that is most like `word`, or nothing."""
    from longshore.config import suggest

    bare = {name.lstrip("-"): name for name in known}
    near = suggest.nearest(word.lstrip("-"), bare)
    return f'; did you mean "{bare[near]}"?' if near else ""
