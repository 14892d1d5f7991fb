"""Problems of the user's files as text, JSON, GitHub annotations or SARIF; pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from longshore import __version__
from longshore.config.catalogue import CATALOGUE
from longshore.config.problem import Problem, Severity
from longshore.config.source import SourceText
from longshore.report.printable import printable

Sources = Mapping[str, SourceText]
_WIDTH = 160
_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33"}


class Format(StrEnum):
    """What ``--format`` may be."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


class Terminal(Struct, frozen=True):
    """What the reader of the text can show; none of it: one plain line a problem.

    `hints` adds those of errors to the plain lines.
    """

    excerpts: bool = False
    hints: bool = False
    colours: bool = False


def render(
    problems: Sequence[Problem],
    sources: Sources,
    format: Format = Format.TEXT,  # noqa: A002 - named like the flag
    terminal: Terminal | None = None,
) -> str:
    """All problems in the order given, ending in a newline; no problems make an empty text."""
    if format is Format.TEXT:
        shown = terminal or Terminal()
        if not shown.excerpts:
            return "".join(f"{line}\n" for line in _plain_lines(problems, shown))
        return "".join(_text(problem, sources, shown) + "\n" for problem in problems)
    return _MACHINES[format](problems)


def as_json(problem: Problem) -> dict[str, Any]:
    """A problem as plain data; `line` 0 means the file as a whole."""
    return {
        "path": problem.place.path,
        "line": problem.place.line,
        "column": problem.place.column,
        "length": problem.length,
        "severity": problem.severity.value,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }


def _plain_lines(problems: Sequence[Problem], terminal: Terminal) -> Iterator[str]:
    """A line a problem; the hint of errors once, below the last in a row that share it."""
    hints = [problem.hint for problem in problems]
    for problem, next_hint in zip(problems, [*hints[1:], None], strict=False):
        yield printable(str(problem))
        told = terminal.hints and problem.severity is Severity.ERROR
        if told and problem.hint and problem.hint != next_hint:
            yield f"  hint: {printable(problem.hint)}"


def _text(problem: Problem, sources: Sources, terminal: Terminal) -> str:
    paint = _paint if terminal.colours else _plain
    severity = paint(problem.severity.value, f"1;{_COLOURS[problem.severity]}")
    head = f"{paint(str(problem.place), '1')}: {severity}: {printable(problem.message)}"
    lines = [f"{head} [{problem.code}]", *_excerpt(problem, sources, paint)]
    if problem.hint:
        lines.append(f"  {paint('hint:', '36')} {printable(problem.hint)}")
    return "\n".join(lines)


def _excerpt(problem: Problem, sources: Sources, paint: Callable[[str, str], str]) -> list[str]:
    """The source line and below it the mark; a long line is cut around the place."""
    source = sources.get(problem.place.path)
    line = source.line(problem.place.line) if source else None
    if line is None:
        return []
    start = problem.place.column - 1
    first = max(0, start - _WIDTH // 2) if len(line) > _WIDTH else 0
    shown = line[first : first + _WIDTH]
    before = "".join("\t" if character == "\t" else " " * width(character)
                     for character in shown[: start - first])  # fmt: skip
    marked = shown[start - first : start - first + problem.length]
    mark = "^" * max(1, sum(map(width, marked)))
    number = str(problem.place.line)
    return [
        f"{number:>5} | {printable(shown)}",
        f"{'':>5} | {before}{paint(mark, _COLOURS[problem.severity])}",
    ]


def width(character: str) -> int:
    """Columns a character takes on a terminal (Unicode TR 11)."""
    if character.isascii():
        return 1
    import unicodedata

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _plain(text: str, code: str) -> str:
    return text


def _json(problems: Sequence[Problem]) -> str:
    document = {"version": 1, "problems": [as_json(problem) for problem in problems]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _github(problems: Sequence[Problem]) -> str:
    """Workflow commands (docs.github.com, "Workflow commands for GitHub Actions")."""
    lines = []
    for problem in problems:
        where = {"file": problem.place.path}
        if problem.place.line:
            where |= {"line": str(problem.place.line), "col": str(problem.place.column)}
        where["title"] = problem.code
        options = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in where.items())
        message = f"{problem.message}\n{problem.hint}" if problem.hint else problem.message
        lines.append(f"::{problem.severity.value} {options}::{_escaped(message)}\n")
    return "".join(lines)


def _escaped(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _sarif(problems: Sequence[Problem]) -> str:
    """SARIF 2.1.0 (OASIS); every rule that occurs is described."""
    used = sorted({problem.code for problem in problems} & CATALOGUE.keys())
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "longshore",
                        "version": __version__,
                        "rules": [_rule(code) for code in used],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem) for problem in problems],
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, Any]:
    kind = CATALOGUE[code]
    return {
        "id": code,
        "name": kind.name,
        "shortDescription": {"text": kind.title},
        "fullDescription": {"text": kind.meaning},
        "help": {"text": kind.remedy},
    }


def _result(problem: Problem) -> dict[str, Any]:
    location: dict[str, Any] = {
        "artifactLocation": {"uri": problem.place.path.replace("\\", "/").replace(" ", "%20")}
    }
    if problem.place.line:
        location["region"] = {
            "startLine": problem.place.line,
            "startColumn": problem.place.column,
            "endColumn": problem.place.column + problem.length,
        }
    text = f"{problem.message}. {problem.hint}" if problem.hint else problem.message
    return {
        "ruleId": problem.code,
        "level": problem.severity.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    }


_MACHINES: dict[Format, Callable[[Sequence[Problem]], str]] = {
    Format.JSON: _json,
    Format.GITHUB: _github,
    Format.SARIF: _sarif,
}
