"""Pipelines, commands and operands evaluated: where functions and methods are called."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.arguments import check_type, constant_for
from longshore.plan.gotemplate.functions import FUNCTIONS, Builtin
from longshore.plan.gotemplate.limits import bounded
from longshore.plan.gotemplate.machine import Machine, Variables
from longshore.plan.gotemplate.nodes import (
    Bool,
    Chain,
    Command,
    Dot,
    Field,
    Function,
    Nil,
    Number,
    Operand,
    Pipe,
    String,
    Variable,
)
from longshore.plan.gotemplate.values import Root, Value, is_true, type_name
from longshore.plan.gotime import GoTime
from longshore.plan.gotime.duration import Duration
from longshore.plan.gotime.kinds import Month, Weekday
from longshore.plan.gotime.methods import Method, method_of
from longshore.plan.gotime.zone import Zone

_Arguments = Sequence[Operand]


class _Piped(Struct, frozen=True):
    """The value of the command before in the pipeline: the last argument of the next one."""

    value: Value


_Final = _Piped | None


class PipelineEvaluator(Struct, frozen=True):
    """Evaluates pipelines where ``.`` is `dot`."""

    machine: Machine
    variables: Variables
    dot: Value

    def pipe(self, pipe: Pipe) -> Value:
        """The value of the last command; variables are declared or assigned."""
        with self.machine.step(pipe):
            final: _Final = None
            for command in pipe.commands:
                final = _Piped(self._command(command, final))
            value = final.value if final else None
            for name in pipe.declared:
                if pipe.assigns:
                    self.variables.assign(name, value, pipe.offset)
                else:
                    self.variables.declare(name, value)
            return value

    def _command(self, command: Command, final: _Final) -> Value:
        with self.machine.step(command):
            first, *arguments = command.operands
            match first:
                case Field():
                    return self._chain(self.dot, first.names, arguments, final)
                case Chain():
                    return self._chain(self._value(first.of), first.names, arguments, final)
                case Variable() if first.names:
                    value = self.variables.value(first.name, first.offset)
                    return self._chain(value, first.names, arguments, final)
                case Function():
                    return self._function(first.name, arguments, final)
                case Nil():
                    raise InvalidValue("nil is not a command")
            if arguments or final:
                raise InvalidValue("only functions and methods take arguments")
            return self._value(first)

    def _value(self, operand: Operand) -> Value:
        """An operand where any type will do."""
        match operand:
            case Dot():
                return self.dot
            case Nil():
                return None
            case Bool() | String():
                return operand.value
            case Number():
                return operand.value.ideal()
            case Field():
                return self._chain(self.dot, operand.names, (), None)
            case Variable():
                value = self.variables.value(operand.name, operand.offset)
                return self._chain(value, operand.names, (), None)
            case Function():
                return self._function(operand.name, (), None)
            case Chain():
                return self._chain(self._value(operand.of), operand.names, (), None)
            case Pipe():
                return self.pipe(operand)

    def _chain(
        self, receiver: Value, names: Sequence[str], arguments: _Arguments, final: _Final
    ) -> Value:
        """Fields and methods one after the other; the last one gets the arguments."""
        for place, name in enumerate(names):
            if place == len(names) - 1:
                return self._member(receiver, name, arguments, final)
            receiver = self._member(receiver, name, (), None)
        return receiver

    def _member(self, receiver: Value, name: str, arguments: _Arguments, final: _Final) -> Value:
        if isinstance(receiver, GoTime | Zone | Duration | Month | Weekday):
            return self._method(receiver, name, method_of(receiver, name), arguments, final)
        if not isinstance(receiver, Root):
            raise InvalidValue(
                f"a value of type {type_name(receiver)} has no field or method {name}"
            )
        value = receiver.field(name)
        if arguments or final:
            raise InvalidValue(f".{name} is a field and takes no arguments")
        return value

    def _method(
        self, receiver: Value, name: str, method: Method, arguments: _Arguments, final: _Final
    ) -> Value:
        given = len(arguments) + (final is not None)
        wanted = method.parameters
        if given != len(wanted):
            raise InvalidValue(f"method {name} takes {_count(len(wanted))}, not {given}")
        values = [
            self._argument(operand, parameter)
            for operand, parameter in zip(arguments, wanted, strict=False)
        ]
        if final:
            values.append(check_type(final.value, wanted[-1]))
        result = method.call(receiver, *values)
        return bounded(result) if isinstance(result, bytes) else result

    def _argument(self, operand: Operand, parameter: str) -> Value:
        """An operand where a method or function wants one Go type."""
        if isinstance(operand, Nil | Bool | Number | String):
            return constant_for(operand, parameter)
        return check_type(self._value(operand), parameter)

    def _function(self, name: str, arguments: _Arguments, final: _Final) -> Value:
        function = FUNCTIONS[name]
        _check_count(name, function, len(arguments) + (final is not None))
        if name in ("and", "or"):
            return self._early(name == "or", arguments, final)
        values = [self._value(operand) for operand in arguments]
        if final:
            values.append(final.value)
        if function.text_first:
            check_type(values[0], "string")
        result = function.call(*values)
        return bounded(result) if isinstance(result, bytes) else result

    def _early(self, wanted: bool, arguments: _Arguments, final: _Final) -> Value:
        """``and`` and ``or``: the first argument that decides, or the last one."""
        value: Value = None
        for operand in arguments:
            value = self._value(operand)
            if is_true(value) is wanted:
                return value
        return final.value if final else value


def _check_count(name: str, function: Builtin, given: int) -> None:
    if given < function.least or (given > function.least and not function.more):
        at_least = "at least " if function.more else ""
        raise InvalidValue(f"{name} takes {at_least}{_count(function.least)}, not {given}")


def _count(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"
