"""A printf format cut into literal text and directives, arguments and stars resolved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from longshore.plan.gotemplate.flags import Flags
from longshore.plan.gotemplate.values import Value

_MOST: Final = 1_000_000
"""What is beyond takes no further digit, for Go either (fmt/print.go, ``parsenum``)."""

_DIGITS: Final = frozenset("0123456789")


class Literal(Struct, frozen=True):
    """Text of the format itself, or Go's remark on a directive that cannot be."""

    text: str


class Directive(Struct, frozen=True):
    """One verb and the argument it shows."""

    verb: str
    flags: Flags
    value: Value


class Directives(Struct):
    """Iterates over the parts of a format. `left` are then the arguments nobody used."""

    format: str
    arguments: Sequence[Value]
    at: int = 0
    argument: int = 0
    reordered: bool = False
    misplaced: bool = False
    indexed: bool = False

    def parts(self) -> Iterator[Literal | Directive]:
        while self.at < len(self.format):
            end = self.format.find("%", self.at)
            if end < 0:
                yield Literal(self.format[self.at :])
                return
            yield Literal(self.format[self.at : end])
            self.at = end + 1
            yield from self._directive()

    @property
    def left(self) -> Sequence[Value]:
        return () if self.reordered else self.arguments[self.argument :]

    def _directive(self) -> Iterator[Literal | Directive]:
        self.misplaced = self.indexed = False
        flags = self._flags()
        self._index()
        flags, remark = self._width(flags)
        yield from remark
        if self._peek() == "." and self.at + 1 < len(self.format):
            flags, remark = self._precision(flags)
            yield from remark
        if not self.indexed:
            self._index()
        yield self._verb(flags)

    def _verb(self, flags: Flags) -> Literal | Directive:
        verb = self._peek()
        if not verb:
            return Literal("%!(NOVERB)")
        self.at += 1
        if "\udc80" <= verb <= "\udcff":
            verb = "\ufffd"
        if verb == "%":
            return Literal("%")
        if self.misplaced:
            return Literal(f"%!{verb}(BADINDEX)")
        if self.argument >= len(self.arguments):
            return Literal(f"%!{verb}(MISSING)")
        self.argument += 1
        value = self.arguments[self.argument - 1]
        return Directive(verb, flags.for_verb_v() if verb == "v" else flags, value)

    def _peek(self) -> str:
        return self.format[self.at : self.at + 1]

    def _flags(self) -> Flags:
        flags = Flags()
        while (sign := self._peek()) and sign in "+-# 0":
            if sign == "0":
                flags = replace(flags, zero=not flags.minus)
            elif sign == "-":
                flags = replace(flags, minus=True, zero=False)
            elif sign == "+":
                flags = replace(flags, plus=True)
            elif sign == "#":
                flags = replace(flags, sharp=True)
            else:
                flags = replace(flags, space=True)
            self.at += 1
        return flags

    def _index(self) -> None:
        """``[n]``: go on with the n-th argument."""
        self.indexed = False
        if self._peek() != "[":
            return
        self.reordered = True
        end = self.format.find("]", self.at)
        # An empty pair at the end: Go looks for a bracket in no less than three characters.
        if end < 0 or self.format[self.at :] == "[]":
            self.at += 1
            self.misplaced = True
            return
        number, rest = _parsed(self.format, self.at + 1, end)
        self.at = end + 1
        if number is None or rest != end or not 1 <= number <= len(self.arguments):
            self.misplaced = True
            self.indexed = number is not None and rest == end
            return
        self.argument = number - 1
        self.indexed = True

    def _width(self, flags: Flags) -> tuple[Flags, list[Literal]]:
        if self._peek() == "*":
            width = self._star()
            if width is None:
                return flags, [Literal("%!(BADWIDTH)")]
            if width < 0:
                return replace(flags, width=-width, minus=True, zero=False), []
            return replace(flags, width=width), []
        width = self._digits()
        if width is not None and self.indexed:
            self.misplaced = True
        return replace(flags, width=width), []

    def _precision(self, flags: Flags) -> tuple[Flags, list[Literal]]:
        self.at += 1
        if self.indexed:
            self.misplaced = True
        self._index()
        if self._peek() == "*":
            precision = self._star()
            if precision is None or precision < 0:
                return flags, [Literal("%!(BADPREC)")]
            return replace(flags, precision=precision), []
        return replace(flags, precision=self._digits() or 0), []

    def _star(self) -> int | None:
        """The next argument as a width or precision; None if it is no integer or too large."""
        self.at += 1
        self.indexed = False
        if self.argument >= len(self.arguments):
            return None
        value = self.arguments[self.argument]
        self.argument += 1
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MOST:
            return None
        return int(value)

    def _digits(self) -> int | None:
        number, self.at = _parsed(self.format, self.at, len(self.format))
        return number


def _parsed(text: str, at: int, end: int) -> tuple[int | None, int]:
    """The number that stands at `at`, and where it ends; too large: None, and `end`."""
    number = None
    while at < end and text[at] in _DIGITS:
        if number is not None and number > _MOST:
            return None, end
        number = (number or 0) * 10 + int(text[at])
        at += 1
    return number, at
