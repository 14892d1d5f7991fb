"""A parsed template. Every node knows the offset of its first character."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from longshore.plan.gotemplate.numbers import Constant


class Node(Struct, frozen=True, kw_only=True):
    offset: int


class Dot(Node, frozen=True, kw_only=True):
    """``.``: what the template is about at this place."""


class Nil(Node, frozen=True, kw_only=True):
    """``nil``."""


class Bool(Node, frozen=True, kw_only=True):
    value: bool


class Number(Node, frozen=True, kw_only=True):
    value: Constant


class String(Node, frozen=True, kw_only=True):
    value: bytes


class Field(Node, frozen=True, kw_only=True):
    """``.Time.Year``; `names` is never empty."""

    names: tuple[str, ...]


class Variable(Node, frozen=True, kw_only=True):
    """``$x.Year``; `name` begins with ``$``."""

    name: str
    names: tuple[str, ...]


class Function(Node, frozen=True, kw_only=True):
    name: str


class Chain(Node, frozen=True, kw_only=True):
    """Fields of what an operand in parentheses gives: ``(…).Year``."""

    of: Operand
    names: tuple[str, ...]


class Command(Node, frozen=True, kw_only=True):
    """An operand and its arguments; never empty."""

    operands: tuple[Operand, ...]


class Pipe(Node, frozen=True, kw_only=True):
    """Commands that hand their value on, kept in variables when some are `declared`."""

    declared: tuple[str, ...]
    assigns: bool
    commands: tuple[Command, ...]


Operand = Dot | Nil | Bool | Number | String | Field | Variable | Function | Chain | Pipe


class Text(Node, frozen=True, kw_only=True):
    text: bytes


class Action(Node, frozen=True, kw_only=True):
    pipe: Pipe


class Branch(Node, frozen=True, kw_only=True):
    """``if``, ``with`` or ``range``: `word` says which."""

    word: str
    pipe: Pipe
    body: Body
    otherwise: Body


class Call(Node, frozen=True, kw_only=True):
    """``template`` or the running of a ``block``."""

    name: str
    pipe: Pipe | None


class Leap(Node, frozen=True, kw_only=True):
    """``break`` or ``continue``."""

    word: str


Statement = Text | Action | Branch | Call | Leap
Body = tuple[Statement, ...]


class Tree(Struct, frozen=True, kw_only=True):
    """The main text and everything it defines by name."""

    body: Body
    definitions: Mapping[str, Body]
