"""A parsed regular expression, as far as asking "does it occur?" needs it."""

from __future__ import annotations

from enum import Enum, auto

from msgspec import Struct

from longshore.plan.goregex.characters import Characters


class Place(Enum):
    """Assertions about the place between two characters."""

    TEXT_BEGIN = auto()
    TEXT_END = auto()
    LINE_BEGIN = auto()
    LINE_END = auto()
    WORD_EDGE = auto()
    NO_WORD_EDGE = auto()


class Sequence(Struct, frozen=True):
    """One after the other; empty: nothing at all."""

    parts: tuple[Node, ...]


class Choice(Struct, frozen=True):
    options: tuple[Node, ...]


class Repeat(Struct, frozen=True):
    """`most` is None for without end. Greedy or not makes no difference to whether it occurs."""

    part: Node
    least: int
    most: int | None


Node = Characters | Place | Sequence | Choice | Repeat
