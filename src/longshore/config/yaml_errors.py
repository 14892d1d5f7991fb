"""The YAML parser's complaints in the user's words (libyaml's texts: its scanner.c, parser.c)."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from msgspec.structs import replace

from longshore.config import codes
from longshore.config.problem import Problem, Severity
from longshore.config.source import SourceText

if TYPE_CHECKING:
    from yaml.error import MarkedYAMLError

_INDENT = "lines of one block begin in one column; use spaces only"
_QUOTE_IT = "put the value in quotes"

# What libyaml or PyYAML says (a pattern), whether the place is where the thing began, our words,
# and the hint.
_TEXTS: tuple[tuple[str, bool, str, str], ...] = (
    ("unexpected (end of stream|document)", True,
     "the quote opened here is never closed", "close the quote"),
    ("unknown escape character", False, 'unknown escape in double quotes: "{here2}"',
     'write "\\\\" for a backslash, or use single quotes'),
    ("hexdecimal number|hexadecimal|invalid Unicode character escape|unicode", False,
     "incomplete escape sequence in double quotes", "use single quotes"),
    ("mapping values are not allowed", False, 'a ":" cannot stand here',
     'quote a text that contains ": ", or check the indentation of this line'),
    ("block sequence entries are not allowed", False, 'a list item ("- ") cannot start here',
     "put it on a line of its own; " + _INDENT),
    ("mapping keys are not allowed", False, "a key cannot stand here", _INDENT),
    ("expected ':'", True, 'a ":" is missing after this key', 'write "key: value"'),
    ("expected '-' indicator|expected <block end>.*sequence", False,
     "this line does not belong to the list that begins in line {began}", _INDENT),
    ("expected ',' or '\\]'", True, "the list opened here with [ is not closed",
     "add the missing ] or comma before line {line}, column {column}"),
    ("expected ',' or '}'", True, "the map opened here with {{ is not closed",
     "add the missing }} or comma before line {line}, column {column}"),
    ("expected node content|expected the node content", False, "a value is missing here",
     "complete or remove what was begun here"),
    ("expected key|expected <block end>", False,
     "this does not continue the map that begins in line {began}", _INDENT
     + '; a text after a closing quote needs quotes around all of it'),
    ("incompatible YAML document", False, "this version of YAML is not known", "remove %YAML"),
    ("expected <document start>|document start", False,
     "this does not belong to the document above", _INDENT),
    ("directive", False, 'a line that begins with "%" is a YAML directive', _QUOTE_IT),
    ("tab character", False, "a tab is used for indentation", "indent with spaces"),
    ("tag", False, '"!" begins a YAML tag, and this is none', _QUOTE_IT),
    ("alphabetic or numeric", False, "the name of an anchor is missing here", _QUOTE_IT),
    ("comment or line break|chomping|indentation indicator", False,
     "only a comment may follow on this line", 'put the text on the next line, or quote it'),
)  # fmt: skip


def explain(source: SourceText, fault: MarkedYAMLError) -> Problem:
    """A parser error as a problem at the place that has to be changed."""
    mark = fault.problem_mark or fault.context_mark
    index = min(mark.index, len(source.text)) if mark else 0
    began = min(fault.context_mark.index, len(source.text)) if fault.context_mark else index
    said = str(fault.problem or fault.context or "not valid YAML")
    unclosed = _unclosed_quote(source, index)
    if unclosed is not None:
        return _problem(
            source, unclosed, "the quote opened here is closed in a later line", "close the quote"
        )
    misplaced = _misplaced_key(source, index) if "mapping values" in said else None
    if misplaced is not None:
        text = "this key is not indented like the keys around it"
        return _problem(source, misplaced, text, _INDENT)
    if "cannot start any token" in said:
        return _no_token(source, index)
    for pattern, at_begin, message, hint in _TEXTS:
        if re.search(pattern, f"{said} {fault.context or ''}"):
            place = source.place_at(index)
            words = {
                "began": source.place_at(began).line,
                "line": place.line,
                "column": place.column,
                "here": source.text[index : index + 1],
                "here2": source.text[index : index + 2],
            }
            at = began if at_begin else index
            return _problem(source, at, message.format(**words), hint.format(**words))
    return _problem(source, index, f"this is not valid YAML: {said}", "")


def _misplaced_key(source: SourceText, index: int) -> int | None:
    """Where the key begins whose colon, at `index`, the parser stumbled over."""
    start = source.index_of(replace(source.place_at(index), column=1))
    found = re.fullmatch(r"(\s+(?:- +)?)[\w-]+", source.text[start:index])
    return start + found.end(1) if found else None


def _no_token(source: SourceText, index: int) -> Problem:
    character = source.text[index : index + 1]
    if character == "\t":
        return _problem(source, index, "a tab is used for indentation", "indent with spaces")
    return _problem(source, index, f'a value cannot begin with "{character}"', _QUOTE_IT)


def _problem(source: SourceText, index: int, message: str, hint: str) -> Problem:
    return Problem(
        place=source.place_at(index),
        severity=Severity.ERROR,
        code=codes.SYNTAX,
        message=message,
        hint=hint or None,
    )


_QUOTED = re.compile(
    r"""(?:^|[:\-,\[{]\s)[ ]*(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')(?P<after>[^\n]?)""",
    re.DOTALL | re.MULTILINE,
)


def _unclosed_quote(source: SourceText, index: int) -> int | None:
    """Where a quote begins that ends lines below, just before the fault at `index`.

    The usual cause of such a text is a quote forgotten at its end: the next one closes it.
    """
    found = next(iter(deque(_QUOTED.finditer(source.text, 0, index), maxlen=1)), None)
    if found is None or found.end("text") < index - 1 or "\n" not in found["text"]:
        return None
    return found.start("text")
