"""Problems as text, JSON, workflow commands and SARIF."""

from __future__ import annotations

import json

import pytest

from longshore.config import codes
from longshore.config.problem import Place, Problem, Severity
from longshore.config.source import SourceText
from longshore.report.diagnostics import Format, Terminal, render

_TEXT = "- service: app\n\tcommand: 'é😀' x\n" + "y" * 500 + "\n"
_SOURCES = {"s.yml": SourceText("s.yml", _TEXT)}


def problem(line: int = 1, column: int = 12, length: int = 3, message: str = "no app") -> Problem:
    return Problem(
        place=Place("s.yml", line, column),
        severity=Severity.ERROR,
        code=codes.SERVICE_IN_STEP,
        message=message,
        hint="defined services: demo",
        length=length,
    )


def test_plain_text_is_one_line_a_problem() -> None:
    assert render([problem()], _SOURCES) == "s.yml:1:12: error: no app\n"


def test_no_problems_are_no_text() -> None:
    assert render([], _SOURCES) == ""


def test_a_terminal_shows_the_line_the_mark_and_the_hint() -> None:
    assert render([problem()], _SOURCES, terminal=Terminal(excerpts=True)) == (
        "s.yml:1:12: error: no app [LS064]\n"
        "    1 | - service: app\n"
        "      |            ^^^\n"
        "  hint: defined services: demo\n"
    )


def test_the_mark_stands_under_wide_characters_and_after_tabs() -> None:
    shown = render([problem(2, 12, 4)], _SOURCES, terminal=Terminal(excerpts=True))
    assert shown.splitlines()[2] == "      | \t" + " " * 10 + "^^^^^"


def test_a_long_line_is_cut_around_the_place() -> None:
    shown = render([problem(3, 400, 1)], _SOURCES, terminal=Terminal(excerpts=True))
    assert max(map(len, shown.splitlines())) < 180
    assert shown.splitlines()[2].endswith("^")


def test_a_place_past_the_end_of_the_text_is_still_told() -> None:
    shown = render([problem(9, 1)], _SOURCES, terminal=Terminal(excerpts=True))
    assert shown.splitlines() == [
        "s.yml:9:1: error: no app [LS064]",
        "  hint: defined services: demo",
    ]


def test_a_problem_of_a_whole_file_has_no_line() -> None:
    assert render([problem(0, 0)], _SOURCES) == "s.yml: error: no app\n"


def test_colours_only_when_asked_for() -> None:
    plain = render([problem()], _SOURCES, terminal=Terminal(excerpts=True))
    coloured = render([problem()], _SOURCES, terminal=Terminal(excerpts=True, colours=True))
    assert "\x1b" not in plain
    assert "\x1b[1;31merror\x1b[0m" in coloured


@pytest.mark.parametrize("terminal", [None, Terminal(excerpts=True)])
def test_control_characters_of_a_file_cannot_reach_the_terminal(terminal: Terminal | None) -> None:
    assert "\x1b" not in render([problem(message="\x1b[2J")], _SOURCES, terminal=terminal)


def test_json_is_versioned_and_complete() -> None:
    document = json.loads(render([problem()], _SOURCES, Format.JSON))
    assert document == {
        "version": 1,
        "problems": [
            {
                "path": "s.yml",
                "line": 1,
                "column": 12,
                "length": 3,
                "severity": "error",
                "code": "LS064",
                "message": "no app",
                "hint": "defined services: demo",
            }
        ],
    }


def test_github_commands_escape_what_would_end_them() -> None:
    text = render([problem(message="100%,\n::x")], _SOURCES, Format.GITHUB)
    assert text == (
        "::error file=s.yml,line=1,col=12,title=LS064::100%25,%0A::x%0Adefined services: demo\n"
    )


def test_sarif_names_rule_level_and_region() -> None:
    run = json.loads(render([problem(), problem(0, 0)], _SOURCES, Format.SARIF))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["LS064"]
    first, second = (result["locations"][0]["physicalLocation"] for result in run["results"])
    assert first["region"] == {"startLine": 1, "startColumn": 12, "endColumn": 15}
    assert "region" not in second


def test_a_document_without_problems_is_valid_in_every_format() -> None:
    assert json.loads(render([], {}, Format.JSON))["problems"] == []
    assert json.loads(render([], {}, Format.SARIF))["runs"][0]["results"] == []
    assert render([], {}, Format.GITHUB) == ""
