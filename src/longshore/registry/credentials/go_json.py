"""JSON as Go's encoding/json takes it, with its words for what is wrong.

jet was written in Go, and users find help on its messages by their exact text (spec P-28). The
grammar is RFC 8259; the words are those of Go's package documentation and behaviour, compared
with a real Go in the tests.
"""

from __future__ import annotations

import json
import re
from enum import Enum, auto
from typing import Final

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*')
_DIGITS: Final = re.compile(rb"[0-9]*")
_LITERALS: Final = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
_NUMERIC: Final = frozenset(b"0123456789")
_MAX_DEPTH: Final = 900
"""Go's is 10,000; Python's own reader ends near 1,000. Credentials are three deep."""


class GoSyntaxError(ValueError):
    """What encoding/json would say; holds one character of the text at most."""


class _State(Enum):
    VALUE = auto()
    FIRST_ELEMENT = auto()
    FIRST_KEY = auto()
    KEY = auto()
    COLON = auto()
    AFTER = auto()


def loads(data: bytes) -> object:
    """The value in `data`; whole numbers become floats. Raises GoSyntaxError."""
    _Check(data).run()
    return json.loads(data.decode("utf-8", "replace"), parse_int=float)


class _Check:
    """One walk over the text, from one token to the next."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.state = _State.VALUE
        self.open: list[int] = []

    def run(self) -> None:
        while True:
            self._skip(_SPACE)
            if self.at == len(self.data) and self.state is _State.AFTER and not self.open:
                return
            self._token(self._next())

    def _token(self, char: int) -> None:
        match self.state:
            case _State.FIRST_KEY if char == ord("}"):
                self._close()
            case _State.FIRST_KEY | _State.KEY:
                if char != ord('"'):
                    raise _invalid(char, "looking for beginning of object key string")
                self._string()
                self.state = _State.COLON
            case _State.COLON:
                if char != ord(":"):
                    raise _invalid(char, "after object key")
                self.state = _State.VALUE
            case _State.AFTER:
                self._after(char)
            case _State.FIRST_ELEMENT if char == ord("]"):
                self._close()
            case _:
                self._value(char)

    def _value(self, char: int) -> None:
        self.state = _State.AFTER
        if char in b"{[":
            self.open.append(char)
            if len(self.open) > _MAX_DEPTH:
                raise GoSyntaxError("exceeded max depth")
            self.state = _State.FIRST_KEY if char == ord("{") else _State.FIRST_ELEMENT
        elif char == ord('"'):
            self._string()
        elif char in _LITERALS:
            self._literal(_LITERALS[char])
        elif char == ord("-") or char in _NUMERIC:
            self._number(char)
        else:
            raise _invalid(char, "looking for beginning of value")

    def _after(self, char: int) -> None:
        if not self.open:
            raise _invalid(char, "after top-level value")
        in_object = self.open[-1] == ord("{")
        if char == ord(","):
            self.state = _State.KEY if in_object else _State.VALUE
        elif char == (ord("}") if in_object else ord("]")):
            self._close()
        else:
            what = "object key:value pair" if in_object else "array element"
            raise _invalid(char, f"after {what}")

    def _close(self) -> None:
        self.open.pop()
        self.state = _State.AFTER

    def _string(self) -> None:
        while True:
            self._skip(_PLAIN)
            char = self._next()
            if char == ord('"'):
                return
            if char != ord("\\"):
                raise _invalid(char, "in string literal")
            self._escape(self._next_or_space())

    def _escape(self, char: int) -> None:
        if char == ord("u"):
            for _ in range(4):
                digit = self._next_or_space()
                if digit not in _HEX:
                    raise _invalid(digit, "in \\u hexadecimal character escape")
        elif char not in b'bfnrt\\/"':
            raise _invalid(char, "in string escape code")

    def _literal(self, word: bytes) -> None:
        for expected in word[1:]:
            char = self._next_or_space()
            if char != expected:
                what = f"in literal {word.decode()} (expecting {_quoted(expected)})"
                raise _invalid(char, what)

    def _number(self, char: int) -> None:
        if char == ord("-"):
            char = self._digit("in numeric literal")
        if char != ord("0"):
            self._skip(_DIGITS)
        if self._peek() == ord("."):
            self.at += 1
            self._digit("after decimal point in numeric literal")
            self._skip(_DIGITS)
        if self._peek() in (ord("e"), ord("E")):
            self.at += 1
            if self._peek() in (ord("+"), ord("-")):
                self.at += 1
            self._digit("in exponent of numeric literal")
            self._skip(_DIGITS)

    def _digit(self, where: str) -> int:
        char = self._next_or_space()
        if char not in _NUMERIC:
            raise _invalid(char, where)
        return char

    def _skip(self, pattern: re.Pattern[bytes]) -> None:
        match = pattern.match(self.data, self.at)
        self.at = match.end() if match else self.at

    def _peek(self) -> int | None:
        return self.data[self.at] if self.at < len(self.data) else None

    def _next(self) -> int:
        if self.at == len(self.data):
            raise GoSyntaxError("unexpected end of JSON input")
        self.at += 1
        return self.data[self.at - 1]

    def _next_or_space(self) -> int:
        """Go puts a space after the end, to end numbers; inside other tokens it is the fault."""
        return ord(" ") if self.at == len(self.data) else self._next()


def _invalid(char: int, where: str) -> GoSyntaxError:
    return GoSyntaxError(f"invalid character {_quoted(char)} {where}")


_ESCAPES: Final = {
    ord("'"): r"'\''",
    ord("\\"): r"'\\'",
    7: r"'\a'",
    8: r"'\b'",
    9: r"'\t'",
    10: r"'\n'",
    11: r"'\v'",
    12: r"'\f'",
    13: r"'\r'",
}


def _quoted(char: int) -> str:
    """A byte as Go shows it: taken for the code point of that number, quoted as Go source."""
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char < 0x20 or char == 0x7F:
        return f"'\\x{char:02x}'"
    # Go calls letters, marks, numbers, punctuation and symbols printable, and the ASCII space.
    return f"'{chr(char)}'" if chr(char).isprintable() else f"'\\u{char:04x}'"
