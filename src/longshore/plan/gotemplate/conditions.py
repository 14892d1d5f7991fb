"""Whether a template decides anything by the values it gets, found without running it."""

from __future__ import annotations

from typing import Final

from longshore.plan.gotemplate.nodes import (
    Action,
    Branch,
    Call,
    Chain,
    Function,
    Operand,
    Pipe,
    Statement,
    Tree,
)

_DECIDING: Final = frozenset({"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len"})


def decides(tree: Tree) -> bool:
    """By ``if``, ``with`` or ``range``, or a function that compares or chooses."""
    bodies = (tree.body, *tree.definitions.values())
    return any(_in_statement(statement) for body in bodies for statement in body)


def _in_statement(statement: Statement) -> bool:
    match statement:
        case Branch():
            return True
        case Action() | Call():
            return statement.pipe is not None and _in_pipe(statement.pipe)
        case _:
            return False


def _in_pipe(pipe: Pipe) -> bool:
    return any(_in_operand(operand) for command in pipe.commands for operand in command.operands)


def _in_operand(operand: Operand) -> bool:
    match operand:
        case Function():
            return operand.name in _DECIDING
        case Chain():
            return _in_operand(operand.of)
        case Pipe():
            return _in_pipe(operand)
        case _:
            return False
