"""A command's text split into words the way a POSIX shell splits them, nothing expanded (T-10)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from longshore.errors import InvalidValue

_PIECE = re.compile(
    r"""
      (?P<blank>[ \t\n]+)
    | (?P<joined>\\\n)
    | (?P<plain>[^ \t\n'"\\]+)
    | '(?P<literal>[^']*)'
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | \\(?P<escaped>.)
    | (?P<last>\\)\Z
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE_QUOTES = re.compile(r'\\(?:(["\\$`])|\n)')


class Word(Struct, frozen=True):
    """A word of a command. `bare` is its text with all that was quoted left out."""

    text: str
    bare: str


def split_command(text: str) -> tuple[str, ...]:
    """The words of a command; none for a text of blanks.

    Quotes and backslashes mean what they mean to ``sh``; variables, globs, tildes, comments and
    operators are ordinary text. A backslash at the very end stands for itself, as in dash and
    bash. Raises InvalidValue for a quote that is not closed or a NUL character.
    """
    return tuple(word.text for word in split_words(text))


def split_words(text: str) -> tuple[Word, ...]:
    """As `split_command`, but each word also tells which part of it was outside quotes."""
    if "\0" in text:
        raise InvalidValue("command contains a NUL character")
    return tuple(_words(text))


def shell_syntax(text: str, argv: Sequence[str] = ()) -> str | None:
    """The first word that shows that a shell is expected where none is used, or None (T-12).

    Suspicious are, outside quotes, ``&&``, ``||``, ``|``, ``;``, redirections and ``$NAME``.
    Never when the command's first word is a shell. `argv` may give words split before.
    """
    words = split_words(text)
    first = (argv or [word.text for word in words[:1]])[:1]
    if not first or PurePosixPath(first[0]).name in SHELLS:
        return None
    return next((word.text for word in words if _SHELL_SYNTAX.search(word.bare)), None)


SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh"})
"""Programs that read a command line themselves."""

_SHELL_SYNTAX = re.compile(
    r"""
      \A(?: && | \|\| | \|&? | ; | & )\Z
    | ;\Z
    | \A[0-9&]*(?: >>? | <<? )(?: &[0-9-]+ | [^=>]*)\Z
    | \$(?: [A-Za-z_] | \{ | \( )
    """,
    re.VERBOSE,
)


def _words(text: str) -> Iterator[Word]:
    word: list[str] | None = None
    bare: list[str] = []
    for kind, piece in _pieces(text):
        if kind == "blank":
            if word is not None:
                yield Word("".join(word), "".join(bare))
            word, bare = None, []
        elif kind != "joined":
            word = [] if word is None else word
            word.append(piece)
            bare.append(piece if kind == "plain" else _QUOTED)
    if word is not None:
        yield Word("".join(word), "".join(bare))


_QUOTED = "\0"
"""Stands in `Word.bare` for a quoted piece, so that ``'>'`` and ``>`` differ."""


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise InvalidValue(
                "unterminated quote in command",
                hint=f"the {text[at]} at character {at + 1} is never closed",
            )
        kind = found.lastgroup or "literal"
        piece = found[kind]
        yield kind, _IN_DOUBLE_QUOTES.sub(r"\1", piece) if kind == "double" else piece
        at = found.end()
