"""The parser of what stands inside an action: pipelines, commands, operands."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.faults import Fault
from longshore.plan.gotemplate.functions import FUNCTIONS
from longshore.plan.gotemplate.hints import name_hint
from longshore.plan.gotemplate.limits import DEEPEST_PARENTHESES
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
from longshore.plan.gotemplate.numbers import (
    character_constant,
    complex_constant,
    number_constant,
)
from longshore.plan.gotemplate.quoting import unquote, unquote_character
from longshore.plan.gotemplate.stream import Stream, unexpected
from longshore.plan.gotemplate.tokens import Kind, Token

_OPERANDS = frozenset(
    {
        Kind.BOOL, Kind.CHARACTER, Kind.COMPLEX, Kind.DOT, Kind.FIELD, Kind.IDENTIFIER,
        Kind.NIL, Kind.NUMBER, Kind.OPEN, Kind.RAW_STRING, Kind.STRING, Kind.VARIABLE,
    }
)  # fmt: skip


class PipelineParser(Struct):
    """Reads pipelines from `stream`; `variables` are those declared so far, innermost last."""

    stream: Stream
    variables: list[str] = field(default_factory=lambda: ["$"])
    depth: int = 0

    def pipeline(self, context: str, end: Kind) -> Pipe:
        """A pipeline up to and including its `end`."""
        start = self.stream.skip_blanks().offset
        declared, assigns = self._declarations(context)
        commands: list[Command] = []
        while (token := self.stream.skip_blanks()).kind is not end:
            if token.kind not in _OPERANDS:
                raise unexpected(token, context)
            commands.append(self._command())
        self.stream.next()
        _check(commands, context, start)
        return Pipe(offset=start, declared=declared, assigns=assigns, commands=tuple(commands))

    def _declarations(self, context: str) -> tuple[tuple[str, ...], bool]:
        """``$x :=``, ``$x =`` and, for range, ``$i, $x :=``; the variables come into being."""
        declared: list[str] = []
        while self.stream.skip_blanks().kind is Kind.VARIABLE:
            before = self.stream.at
            variable = self.stream.next()
            sign = self.stream.skip_blanks()
            if sign.kind in (Kind.ASSIGN, Kind.DECLARE):
                self.stream.next()
                self._declare(declared, variable.text)
                return tuple(declared), sign.kind is Kind.ASSIGN
            if sign.kind is not Kind.OTHER or sign.text != ",":
                self.stream.at = before
                break
            self.stream.next()
            self._declare(declared, variable.text)
            self._check_comma(context, declared, sign)
        return tuple(declared), False

    def _declare(self, declared: list[str], name: str) -> None:
        declared.append(name)
        self.variables.append(name)

    def _check_comma(self, context: str, declared: list[str], comma: Token) -> None:
        if context != "range" or len(declared) > 1:
            raise Fault(f"too many variables in {context}", comma.offset)
        if self.stream.skip_blanks().kind not in (Kind.VARIABLE, Kind.RIGHT, Kind.CLOSE):
            raise Fault("range can only declare variables", comma.offset)

    def _command(self) -> Command:
        start = self.stream.skip_blanks().offset
        operands: list[Operand] = []
        while True:
            self.stream.skip_blanks()
            operand = self._operand()
            if operand is not None:
                operands.append(operand)
            token = self.stream.peek()
            if token.kind in (Kind.RIGHT, Kind.CLOSE):
                break
            self.stream.next()
            if token.kind is Kind.PIPE:
                break
            if token.kind is not Kind.SPACE:
                raise unexpected(token, "operand")
        if not operands:
            raise Fault("empty command", start)
        return Command(offset=start, operands=tuple(operands))

    def _operand(self) -> Operand | None:
        operand = self._term()
        if operand is None or self.stream.peek().kind is not Kind.FIELD:
            return operand
        first = self.stream.peek()
        names = []
        while self.stream.peek().kind is Kind.FIELD:
            names.append(self.stream.next().text[1:])
        if isinstance(operand, Field | Variable):
            return replace(operand, names=(*operand.names, *names))
        if isinstance(operand, Bool | String | Number | Nil | Dot):
            raise unexpected(first, "operand")
        return Chain(offset=operand.offset, of=operand, names=tuple(names))

    def _term(self) -> Operand | None:
        token = self.stream.peek()
        if token.kind not in _OPERANDS:
            return None
        self.stream.next()
        if token.kind is Kind.OPEN:
            return self._parenthesised(token)
        try:
            return self._simple_term(token)
        except Fault:
            raise
        except InvalidValue as fault:
            raise Fault(fault.message, token.offset, hint=fault.hint) from fault

    def _parenthesised(self, token: Token) -> Pipe:
        self.depth += 1
        if self.depth > DEEPEST_PARENTHESES:
            raise Fault("parentheses too deep inside one another", token.offset)
        pipe = self.pipeline("parentheses", Kind.CLOSE)
        self.depth -= 1
        return pipe

    def _simple_term(self, token: Token) -> Operand:
        at, text = token.offset, token.text
        match token.kind:
            case Kind.DOT:
                return Dot(offset=at)
            case Kind.NIL:
                return Nil(offset=at)
            case Kind.BOOL:
                return Bool(offset=at, value=text == "true")
            case Kind.FIELD:
                return Field(offset=at, names=(text[1:],))
            case Kind.VARIABLE:
                return self._variable(token)
            case Kind.IDENTIFIER:
                return _function(token)
            case Kind.CHARACTER:
                constant = character_constant(text, unquote_character(text))
                return Number(offset=at, value=constant)
            case Kind.NUMBER:
                return Number(offset=at, value=number_constant(text))
            case Kind.COMPLEX:
                return Number(offset=at, value=complex_constant(text))
            case _:
                return String(offset=at, value=unquote(text))

    def _variable(self, token: Token) -> Variable:
        if token.text not in self.variables:
            raise Fault(
                f"variable {token.text} is not declared",
                token.offset,
                hint=f"declare it before: {{{{{token.text} := …}}}}",
            )
        return Variable(offset=token.offset, name=token.text, names=())


def _function(token: Token) -> Function:
    if token.text == "call":
        raise Fault(
            "function call is not available",
            token.offset,
            hint="it calls values that are functions, and no field is one",
        )
    if token.text not in FUNCTIONS:
        raise Fault(
            f"function {token.text} does not exist",
            token.offset,
            hint=name_hint(token.text, FUNCTIONS, "functions"),
        )
    return Function(offset=token.offset, name=token.text)


def _check(commands: list[Command], context: str, start: int) -> None:
    if not commands:
        raise Fault(f"{context} without a value", start)
    for command in commands[1:]:
        first = command.operands[0]
        if isinstance(first, Bool | Dot | Nil | Number | String):
            raise Fault('only functions and methods can stand behind "|"', first.offset)
