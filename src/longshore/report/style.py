"""Marks and colours: what a line may look like on this terminal (spec C-29)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Colour(StrEnum):
    """SGR codes (ECMA-48) of the few colours we use."""

    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    BLUE = "34"
    MAGENTA = "35"
    CYAN = "36"
    FAINT = "2"


_SERVICE_COLOURS = (Colour.CYAN, Colour.MAGENTA, Colour.BLUE, Colour.YELLOW)


class Style(Struct, frozen=True, kw_only=True):
    """`colour`: a terminal that has colours; `unicode`: the locale can show the marks."""

    colour: bool = False
    unicode: bool = True

    @property
    def success(self) -> str:
        """How a passed step ends."""
        return self.paint("success ✔" if self.unicode else "success [ok]", Colour.GREEN)

    @property
    def failure(self) -> str:
        """How a failed step ends."""
        return self.paint("failed ✘" if self.unicode else "failed [failed]", Colour.RED)

    @property
    def skipped(self) -> str:
        """How a skipped step begins."""
        return self.paint("skipped" if self.unicode else "[skipped]", Colour.YELLOW)

    def paint(self, text: str, colour: Colour) -> str:
        """`text` in `colour`, or as it is."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour else text

    def service(self, name: str) -> str:
        """A service's prefix, always in the same colour for the same name."""
        chosen = _SERVICE_COLOURS[sum(name.encode()) % len(_SERVICE_COLOURS)]
        return self.paint(f"(service: {name})", chosen)
