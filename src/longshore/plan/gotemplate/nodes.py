"""A parsed template. Every node knows the offset of its first character."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from longshore.plan.gotemplate.numbers import Constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot(Node):
    """``.``: what the template is about at this place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nil(Node):
    """``nil``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bool(Node):
    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Node):
    value: Constant


@dataclass(frozen=True, slots=True, kw_only=True)
class String(Node):
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Node):
    """``.Time.Year``; `names` is never empty."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable(Node):
    """``$x.Year``; `name` begins with ``$``."""

    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Node):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain(Node):
    """Fields of what an operand in parentheses gives: ``(…).Year``."""

    of: Operand
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Node):
    """An operand and its arguments; never empty."""

    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe(Node):
    """Commands that hand their value on, kept in variables when some are `declared`."""

    declared: tuple[str, ...]
    assigns: bool
    commands: tuple[Command, ...]


Operand = Dot | Nil | Bool | Number | String | Field | Variable | Function | Chain | Pipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Node):
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Node):
    pipe: Pipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch(Node):
    """``if``, ``with`` or ``range``: `word` says which."""

    word: str
    pipe: Pipe
    body: Body
    otherwise: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """``template`` or the running of a ``block``."""

    name: str
    pipe: Pipe | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leap(Node):
    """``break`` or ``continue``."""

    word: str


Statement = Text | Action | Branch | Call | Leap
Body = tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The main text and everything it defines by name."""

    body: Body
    definitions: Mapping[str, Body]
