"""The flags, width and precision of one printf directive, and padding to a width."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace


class Flags(Struct, frozen=True, kw_only=True):
    """``%+-# 0`` and the numbers behind. `sharp_v` is ``%#v``."""

    plus: bool = False
    minus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    sharp_v: bool = False
    width: int | None = None
    precision: int | None = None

    def for_verb_v(self) -> Flags:
        """The same for ``%v``, where ``+`` and ``#`` choose a form instead of a sign."""
        return replace(self, sharp=False, plus=False, sharp_v=self.sharp)

    def padded(self, text: bytes) -> bytes:
        """Blanks, or zeros on the left, up to `width` characters."""
        return self._filled(text, b"0" if self.zero else b" ")

    def padded_with_blanks(self, text: bytes) -> bytes:
        """As `padded`, never with zeros."""
        return self._filled(text, b" ")

    def _filled(self, text: bytes, filling: bytes) -> bytes:
        missing = (self.width or 0) - count_characters(text)
        if missing <= 0:
            return text
        return text + b" " * missing if self.minus else filling * missing + text


PLAIN = Flags()


def count_characters(text: bytes) -> int:
    """Go's RuneCount: every byte that is no UTF-8 counts as one character."""
    return len(text.decode("utf-8", "surrogateescape"))
