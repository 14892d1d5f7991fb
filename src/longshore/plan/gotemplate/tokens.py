"""The tokens a template is made of."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Kind(Enum):
    """What a token is; the values are the words messages use."""

    TEXT = "text"
    LEFT = "{{"
    RIGHT = "}}"
    SPACE = "a blank"
    STRING = "a string"
    RAW_STRING = "a raw string"
    CHARACTER = "a character"
    NUMBER = "a number"
    COMPLEX = "a complex number"
    BOOL = "a boolean"
    DOT = "."
    NIL = "nil"
    FIELD = "a field"
    VARIABLE = "a variable"
    IDENTIFIER = "a name"
    KEYWORD = "a keyword"
    PIPE = "|"
    OPEN = "("
    CLOSE = ")"
    ASSIGN = "="
    DECLARE = ":="
    OTHER = "a character without meaning here"
    END = "the end of the template"


class Token(Struct, frozen=True):
    """`text` is the source text, for TEXT after trimming; `offset` where it begins."""

    kind: Kind
    text: str
    offset: int

    def __str__(self) -> str:
        if self.kind in (Kind.SPACE, Kind.END):
            return str(self.kind.value)
        return f'"{self.text[:20]}"'


KEYWORDS = frozenset(
    {"block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"}
)
