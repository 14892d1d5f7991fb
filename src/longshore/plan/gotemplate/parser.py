"""The parser of a whole template: texts, actions, blocks, definitions."""

from __future__ import annotations

from dataclasses import dataclass, field

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.faults import Fault
from longshore.plan.gotemplate.lexer import lex
from longshore.plan.gotemplate.limits import DEEPEST
from longshore.plan.gotemplate.nodes import (
    Action,
    Body,
    Branch,
    Call,
    Leap,
    Pipe,
    Statement,
    Text,
    Tree,
)
from longshore.plan.gotemplate.pipelines import PipelineParser
from longshore.plan.gotemplate.quoting import go_bytes, unquote
from longshore.plan.gotemplate.stream import Stream, unexpected
from longshore.plan.gotemplate.tokens import Kind, Token


def parse(source: str) -> Tree:
    """The template as a tree; raises `Fault`."""
    parser = _Parser(Stream(lex(source)), definitions={})
    body = parser.top_level()
    return Tree(body=body, definitions=parser.definitions)


@dataclass(slots=True)
class _Parser:
    stream: Stream
    definitions: dict[str, Body]
    loops: int = 0
    depth: int = 0
    pipelines: PipelineParser = field(init=False)

    def __post_init__(self) -> None:
        self.pipelines = PipelineParser(self.stream)

    def top_level(self) -> Body:
        body: list[Statement] = []
        while self.stream.peek().kind is not Kind.END:
            if self._at_definition():
                self._definition()
            else:
                body.append(self._statement(self._not_a_clause()))
        return tuple(body)

    def _at_definition(self) -> bool:
        before = self.stream.at
        if self.stream.next().kind is Kind.LEFT and self.stream.at_keyword("define"):
            return True
        self.stream.at = before
        return False

    def _not_a_clause(self) -> Token:
        """The next token; an ``end`` or ``else`` that belongs to nothing is a fault."""
        token = self.stream.next()
        if token.kind is Kind.LEFT and self.stream.at_keyword("end", "else"):
            clause = self.stream.peek()
            raise Fault(f"{clause.text} without if, range, with, define or block", clause.offset)
        return token

    def _statement(self, token: Token) -> Statement:
        if token.kind is Kind.TEXT:
            return Text(offset=token.offset, text=go_bytes(token.text))
        if token.kind is not Kind.LEFT:
            raise unexpected(token, "text")
        return self._action()

    def _action(self) -> Statement:
        token = self.stream.skip_blanks()
        if token.kind is not Kind.KEYWORD:
            return Action(offset=token.offset, pipe=self._pipe("action"))
        self.stream.next()
        match token.text:
            case "if" | "with" | "range":
                return self._branch(token)
            case "template":
                return self._template(token)
            case "block":
                return self._block(token)
            case "break" | "continue":
                return self._leap(token)
        raise unexpected(token, "action")

    def _pipe(self, context: str) -> Pipe:
        return self.pipelines.pipeline(context, Kind.RIGHT)

    def _branch(self, token: Token) -> Branch:
        """From behind its keyword to behind its ``end``; an ``else if`` is a branch of its own."""
        self._deeper(token)
        declared = len(self.pipelines.variables)
        pipe = self._pipe(token.text)
        self.loops += token.text == "range"
        body, clause = self._body(token)
        self.loops -= token.text == "range"
        otherwise: Body = ()
        if clause == "else":
            otherwise = self._otherwise(token)
        del self.pipelines.variables[declared:]
        self.depth -= 1
        return Branch(
            offset=token.offset, word=token.text, pipe=pipe, body=body, otherwise=otherwise
        )

    def _otherwise(self, token: Token) -> Body:
        if token.text == "if" and self.stream.at_keyword("if"):
            return (self._branch(self.stream.next()),)
        self.stream.expect(Kind.RIGHT, "else")
        body, clause = self._body(token)
        if clause != "end":
            raise Fault("a second else", self.stream.peek().offset, hint="expected {{end}}")
        return body

    def _body(self, opener: Token) -> tuple[Body, str]:
        """Statements up to ``{{end}}`` (read whole) or ``{{else`` (read so far)."""
        body: list[Statement] = []
        while (token := self.stream.next()).kind is not Kind.END:
            if token.kind is Kind.LEFT and self.stream.at_keyword("end", "else"):
                clause = self.stream.next().text
                if clause == "end":
                    self.stream.expect(Kind.RIGHT, "end")
                return tuple(body), clause
            body.append(self._statement(token))
        raise Fault(f"{opener.text} without {{{{end}}}}", opener.offset, hint="add {{end}}")

    def _deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Fault("blocks too deep inside one another", token.offset)

    def _leap(self, token: Token) -> Leap:
        self.stream.expect(Kind.RIGHT, token.text)
        if not self.loops:
            raise Fault(f"{token.text} outside range", token.offset)
        return Leap(offset=token.offset, word=token.text)

    def _template(self, token: Token) -> Call:
        name = self._name("template")
        if self.stream.skip_blanks().kind is Kind.RIGHT:
            self.stream.next()
            return Call(offset=token.offset, name=name, pipe=None)
        return Call(offset=token.offset, name=name, pipe=self._pipe("template"))

    def _block(self, token: Token) -> Call:
        name = self._name("block")
        pipe = self._pipe("block")
        self._define(name, token)
        return Call(offset=token.offset, name=name, pipe=pipe)

    def _definition(self) -> None:
        token = self.stream.next()
        name = self._name("define")
        self.stream.expect(Kind.RIGHT, "define")
        self._define(name, token)

    def _define(self, name: str, token: Token) -> None:
        """The body of a definition sees neither the variables nor the loops around it."""
        self._deeper(token)
        outer = self.pipelines, self.loops
        self.pipelines, self.loops = PipelineParser(self.stream), 0
        body, clause = self._body(token)
        if clause != "end":
            raise Fault(f"else in {token.text}", token.offset, hint="expected {{end}}")
        self.pipelines, self.loops = outer
        self.depth -= 1
        if not _is_empty(self.definitions.get(name, ())) and not _is_empty(body):
            raise Fault(f'template "{name}" is defined twice', token.offset)
        if _is_empty(self.definitions.get(name, ())):
            self.definitions[name] = body

    def _name(self, context: str) -> str:
        token = self.stream.next_word()
        if token.kind not in (Kind.STRING, Kind.RAW_STRING):
            raise Fault(
                f"unexpected {token} in {context}",
                token.offset,
                hint=f'expected a name in quotes: {{{{{context} "name"}}}}',
            )
        try:
            return unquote(token.text).decode("utf-8", "surrogateescape")
        except InvalidValue as fault:
            raise Fault(fault.message, token.offset, hint=fault.hint) from fault


def _is_empty(body: Body) -> bool:
    """Go's rule for which of two definitions counts: one of blanks only does not."""
    return all(isinstance(part, Text) and not part.text.strip(b" \t\r\n\v\f") for part in body)
