"""The tokens of a template as the parser reads them: looking ahead, and stepping back."""

from __future__ import annotations

from msgspec import Struct

from longshore.plan.gotemplate.faults import Fault
from longshore.plan.gotemplate.tokens import Kind, Token


class Stream(Struct):
    """A place in a list of tokens that ends with END."""

    tokens: list[Token]
    at: int = 0

    def peek(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.tokens[self.at]
        if token.kind is not Kind.END:
            self.at += 1
        return token

    def skip_blanks(self) -> Token:
        """Pass over blanks; gives the token after them without reading it."""
        while self.peek().kind is Kind.SPACE:
            self.at += 1
        return self.peek()

    def next_word(self) -> Token:
        """The next token that is no blank."""
        self.skip_blanks()
        return self.next()

    def expect(self, kind: Kind, context: str) -> Token:
        token = self.next_word()
        if token.kind is not kind:
            raise unexpected(token, context)
        return token

    def at_keyword(self, *words: str) -> bool:
        token = self.skip_blanks()
        return token.kind is Kind.KEYWORD and token.text in words


def unexpected(token: Token, context: str) -> Fault:
    """A token that cannot stand where it does."""
    return Fault(f"unexpected {token} in {context}", token.offset)
