"""Which fields of the data a template names, found without running it (P-16)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from longshore.plan.gotemplate.nodes import (
    Action,
    Body,
    Branch,
    Call,
    Chain,
    Dot,
    Field,
    Operand,
    Pipe,
    Statement,
    Tree,
    Variable,
)


class FieldUse(Struct, frozen=True):
    """A field of the data, and where the template names it."""

    name: str
    offset: int


def field_uses(tree: Tree) -> tuple[FieldUse, ...]:
    """Every use of a field of the data, also in branches that may never run.

    Fields of other things (``with .Time``, variables) are left out; so are definitions that
    nobody calls.
    """
    return tuple(_Finder(tree).uses())


class _Place(Struct, frozen=True):
    """Whether ``.`` and ``$`` are the data here."""

    dot: bool
    dollar: bool


class _Finder(Struct):
    """What is called waits for its turn: definitions may call one another in a long row."""

    tree: Tree
    waiting: deque[tuple[Body, bool]] = field(default_factory=deque)
    seen: set[tuple[str, bool]] = field(default_factory=set)

    def uses(self) -> Iterator[FieldUse]:
        self.waiting.append((self.tree.body, True))
        while self.waiting:
            body, data = self.waiting.popleft()
            yield from self.body(body, _Place(data, data and not _sets_dollar(body)))

    def body(self, body: Body, place: _Place) -> Iterator[FieldUse]:
        for statement in body:
            yield from self.statement(statement, place)

    def statement(self, statement: Statement, place: _Place) -> Iterator[FieldUse]:
        match statement:
            case Action():
                yield from _in_pipe(statement.pipe, place)
            case Branch():
                yield from self.branch(statement, place)
            case Call():
                yield from self.call(statement, place)

    def branch(self, branch: Branch, place: _Place) -> Iterator[FieldUse]:
        yield from _in_pipe(branch.pipe, place)
        dot = place.dot
        if branch.word != "if":
            dot = branch.word == "with" and _is_data(branch.pipe, place)
        yield from self.body(branch.body, replace(place, dot=dot))
        yield from self.body(branch.otherwise, place)

    def call(self, call: Call, place: _Place) -> Iterator[FieldUse]:
        if call.pipe is not None:
            yield from _in_pipe(call.pipe, place)
        data = call.pipe is not None and _is_data(call.pipe, place)
        if call.name in self.tree.definitions and (call.name, data) not in self.seen:
            self.seen.add((call.name, data))
            self.waiting.append((self.tree.definitions[call.name], data))


def _sets_dollar(body: Body) -> bool:
    """Whether ``$`` is declared or assigned anywhere: then nobody knows what it is."""
    for statement in body:
        if isinstance(statement, Action | Branch) and "$" in statement.pipe.declared:
            return True
        if isinstance(statement, Branch) and _sets_dollar(statement.body + statement.otherwise):
            return True
    return False


def _is_data(pipe: Pipe, place: _Place) -> bool:
    """Whether the pipeline is plainly ``.`` or ``$``."""
    if len(pipe.commands) != 1 or len(pipe.commands[0].operands) != 1:
        return False
    only = pipe.commands[0].operands[0]
    if isinstance(only, Variable):
        return only.name == "$" and not only.names and place.dollar
    return isinstance(only, Dot) and place.dot


def _in_pipe(pipe: Pipe, place: _Place) -> Iterator[FieldUse]:
    for command in pipe.commands:
        for operand in command.operands:
            yield from _in_operand(operand, place)


def _in_operand(operand: Operand, place: _Place) -> Iterator[FieldUse]:
    match operand:
        case Field() if place.dot:
            yield FieldUse(operand.names[0], operand.offset)
        case Variable() if operand.name == "$" and operand.names and place.dollar:
            yield FieldUse(operand.names[0], operand.offset)
        case Chain():
            yield from _in_operand(operand.of, place)
        case Pipe():
            yield from _in_pipe(operand, place)
