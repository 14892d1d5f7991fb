"""A parsed template run on data: texts, actions, blocks."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from longshore.plan.gotemplate.faults import Fault
from longshore.plan.gotemplate.machine import Machine, Variables
from longshore.plan.gotemplate.nodes import (
    Action,
    Body,
    Branch,
    Call,
    Leap,
    Statement,
    Text,
    Tree,
)
from longshore.plan.gotemplate.operands import PipelineEvaluator
from longshore.plan.gotemplate.printf import shown
from longshore.plan.gotemplate.values import Root, Value, is_true, type_name
from longshore.plan.gotime.kinds import ByteSlice, Uint8


def run(tree: Tree, root: Root) -> bytes:
    """The expansion of a template; raises `Fault`."""
    machine = Machine()
    _Frame(machine, tree.definitions, Variables(root)).body(tree.body, root)
    return machine.result()


class _Frame(Struct):
    """One running template: the main text, or a call of a defined one."""

    machine: Machine
    definitions: Mapping[str, Body]
    variables: Variables

    def body(self, body: Body, dot: Value) -> str | None:
        """Run statements; gives ``break`` or ``continue`` when one of them ended the body."""
        for statement in body:
            leap = self._statement(statement, dot)
            if leap is not None:
                return leap
        return None

    def _statement(self, statement: Statement, dot: Value) -> str | None:
        with self.machine.step(statement):
            match statement:
                case Text():
                    self.machine.write(statement.text)
                case Action():
                    value = self._pipelines(dot).pipe(statement.pipe)
                    if not statement.pipe.declared:
                        self.machine.write(shown(value))
                case Branch():
                    return self._branch(statement, dot)
                case Call():
                    self._call(statement, dot)
                case Leap():
                    return statement.word
            return None

    def _pipelines(self, dot: Value) -> PipelineEvaluator:
        return PipelineEvaluator(self.machine, self.variables, dot)

    def _branch(self, branch: Branch, dot: Value) -> str | None:
        with self.variables.scope():
            value = self._pipelines(dot).pipe(branch.pipe)
            if branch.word == "range":
                return self._range(branch, value, dot)
            if is_true(value):
                return self.body(branch.body, value if branch.word == "with" else dot)
            return self.body(branch.otherwise, dot)

    def _range(self, branch: Branch, value: Value, dot: Value) -> str | None:
        """Once for each byte of a ``[]byte``: the only list a template here can meet."""
        if not isinstance(value, ByteSlice):
            raise Fault(
                f"range cannot go over a value of type {type_name(value)}",
                branch.offset,
                hint="there are no lists among the fields",
            )
        for index, element in enumerate(value):
            if self._round(branch, index, Uint8(element)) == "break":
                return None
        return None if value else self.body(branch.otherwise, dot)

    def _round(self, branch: Branch, index: int, element: Uint8) -> str | None:
        pipe = branch.pipe
        values: tuple[Value, ...] = (index, element)
        with self.variables.scope():
            for name, value in zip(pipe.declared, values[-len(pipe.declared) :], strict=False):
                self.variables.assign(name, value, pipe.offset)
            return self.body(branch.body, element)

    def _call(self, call: Call, dot: Value) -> None:
        if call.name not in self.definitions:
            raise Fault(
                f'template "{call.name}" is not defined',
                call.offset,
                hint=f'add {{{{define "{call.name}"}}}}…{{{{end}}}}',
            )
        argument = None if call.pipe is None else self._pipelines(dot).pipe(call.pipe)
        frame = _Frame(self.machine, self.definitions, Variables(argument))
        frame.body(self.definitions[call.name], argument)
