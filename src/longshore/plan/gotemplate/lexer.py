"""A template's text cut into tokens, trim markers obeyed and comments dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from longshore.plan.gotemplate.faults import Fault
from longshore.plan.gotemplate.tokens import KEYWORDS, Kind, Token

_TRIMMED = " \t\r\n"
_LEFT = re.compile(r"\{\{(?P<trim>-[ \t\r\n])?(?P<comment>(?=/\*))?")
_RIGHT = re.compile(r"(?P<trim>[ \t\r\n]-)?\}\}")

_DIGITS = r"[0-9_]*"
_ONE_NUMBER = (
    r"[+-]?(?:"
    r"0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?"
    r"|0[bB][01_]*(?:\.[01_]*)?"
    rf"|{_DIGITS}(?:\.{_DIGITS})?(?:[eE][+-]?{_DIGITS})?"
    r")i?"
)
_NUMBER = re.compile(_ONE_NUMBER)
_QUOTED = {
    '"': (re.compile(r'"(?:[^"\\\n]|\\[^\n])*"'), Kind.STRING),
    "'": (re.compile(r"'(?:[^'\\\n]|\\[^\n])*'"), Kind.CHARACTER),
    "`": (re.compile(r"`[^`]*`"), Kind.RAW_STRING),
}
_BLANKS = re.compile(r"[ \t\r\n]+")
_WORD = re.compile(r"\w*")
_SIGNS = {"=": Kind.ASSIGN, "|": Kind.PIPE, "(": Kind.OPEN, ")": Kind.CLOSE}


def lex(source: str) -> list[Token]:
    """The tokens of a template, the last one END; raises `Fault`."""
    return list(_Lexer(source).tokens())


class _Lexer(Struct):
    source: str
    at: int = 0
    depth: int = 0

    def tokens(self) -> Iterator[Token]:
        while left := _LEFT.search(self.source, self.at):
            yield from self.text(left.start(), trimmed=left["trim"] is not None)
            self.at = left.end()
            if left["comment"] is not None:
                self.comment(left.start())
            else:
                yield Token(Kind.LEFT, "{{", left.start())
                yield from self.action(left.start())
        yield from self.text(len(self.source), trimmed=False)
        yield Token(Kind.END, "", len(self.source))

    def text(self, end: int, *, trimmed: bool) -> Iterator[Token]:
        text = self.source[self.at : end]
        if trimmed:
            text = text.rstrip(_TRIMMED)
        if text:
            yield Token(Kind.TEXT, text, self.at)

    def comment(self, start: int) -> None:
        end = self.source.find("*/", self.at + 2)
        if end < 0:
            raise Fault("comment without */", start, hint="write {{/* … */}}")
        right = _RIGHT.match(self.source, end + 2)
        if right is None:
            raise Fault(
                "comment ends before its action does",
                end + 2,
                hint="a comment stands alone: {{/* … */}} or {{- /* … */ -}}",
            )
        self.close(right)

    def close(self, right: re.Match[str]) -> None:
        self.at = right.end()
        if right["trim"]:
            blanks = _BLANKS.match(self.source, self.at)
            self.at = blanks.end() if blanks else self.at

    def action(self, start: int) -> Iterator[Token]:
        self.depth = 0
        while True:
            if right := _RIGHT.match(self.source, self.at):
                if self.depth:
                    raise Fault('"(" without ")"', right.start())
                yield Token(Kind.RIGHT, "}}", right.start())
                self.close(right)
                return
            if self.at >= len(self.source):
                raise Fault('action without "}}"', start, hint='close it with "}}"')
            token = self.token(self.source[self.at])
            self.at += len(token.text)
            yield token

    def token(self, first: str) -> Token:
        if first in _TRIMMED:
            return self._blanks()
        if first in _QUOTED:
            return self._quoted(first)
        if first in _SIGNS:
            return self._sign(first)
        if first == ":":
            return self._declare()
        if first == "$" or (first == "." and not self._digit_at(self.at + 1)):
            return self._field_or_variable(first)
        if first in ".+-" or self._digit_at(self.at):
            return self._number()
        if _is_alphanumeric(first):
            return self._word()
        if first.isascii() and first.isprintable():
            return Token(Kind.OTHER, first, self.at)
        raise Fault(f"character U+{ord(first):04X} outside quotes", self.at)

    def _digit_at(self, at: int) -> bool:
        return self.source[at : at + 1] in tuple("0123456789")

    def _blanks(self) -> Token:
        """Blanks, but not the one that belongs to a trim marker: `` -}}``."""
        found = _BLANKS.match(self.source, self.at)
        end = found.end() if found else self.at + 1
        if end - self.at > 1 and _RIGHT.match(self.source, end - 1):
            end -= 1
        return Token(Kind.SPACE, self.source[self.at : end], self.at)

    def _quoted(self, quote: str) -> Token:
        pattern, kind = _QUOTED[quote]
        found = pattern.match(self.source, self.at)
        if found is None:
            raise Fault(f"{kind.value} without its closing {quote}", self.at)
        return Token(kind, found[0], self.at)

    def _sign(self, sign: str) -> Token:
        self.depth += (sign == "(") - (sign == ")")
        if self.depth < 0:
            raise Fault('")" without "("', self.at)
        return Token(_SIGNS[sign], sign, self.at)

    def _declare(self) -> Token:
        if not self.source.startswith(":=", self.at):
            raise Fault('":" where only ":=" has a meaning', self.at)
        return Token(Kind.DECLARE, ":=", self.at)

    def _field_or_variable(self, first: str) -> Token:
        alone, named = (Kind.VARIABLE, Kind.VARIABLE) if first == "$" else (Kind.DOT, Kind.FIELD)
        end = self.at + 1
        if self._terminated(end):
            return Token(alone, first, self.at)
        end = self._end_of_word(end)
        return Token(named, self.source[self.at : end], self.at)

    def _word(self) -> Token:
        word = self.source[self.at : self._end_of_word(self.at)]
        kind = Kind.IDENTIFIER
        if word in KEYWORDS:
            kind = Kind.KEYWORD
        elif word in ("true", "false"):
            kind = Kind.BOOL
        elif word == "nil":
            kind = Kind.NIL
        return Token(kind, word, self.at)

    def _end_of_word(self, start: int) -> int:
        found = _WORD.match(self.source, start)
        end = found.end() if found else start
        while end > start and not _is_alphanumeric(self.source[end - 1]):
            end -= 1
        if not self._terminated(end):
            raise Fault(
                f'character "{self.source[end]}" inside a name',
                end,
                hint="names are letters, digits and _; put a blank between a name and what follows",
            )
        return end

    def _terminated(self, at: int) -> bool:
        return at >= len(self.source) or (
            self.source[at] in " \t\r\n.,|:)(" or self.source.startswith("}}", at)
        )

    def _number(self) -> Token:
        end = self._end_of_number(self.at)
        if self.source[end : end + 1] in ("+", "-"):
            end = self._end_of_number(end)
            if self.source[end - 1] != "i":
                raise self._bad_number(end)
            return Token(Kind.COMPLEX, self.source[self.at : end], self.at)
        return Token(Kind.NUMBER, self.source[self.at : end], self.at)

    def _end_of_number(self, start: int) -> int:
        found = _NUMBER.match(self.source, start)
        end = found.end() if found else start
        if end < len(self.source) and _is_alphanumeric(self.source[end]):
            raise self._bad_number(end + 1)
        return end

    def _bad_number(self, end: int) -> Fault:
        return Fault(f'"{self.source[self.at : end]}" is no number', self.at)


def _is_alphanumeric(character: str) -> bool:
    """Go's rule for names: a letter, a decimal digit of any script, or ``_``."""
    return character == "_" or character.isalpha() or character.isdecimal()
