"""Build tags match as Go's regexp matches them, with google-re2 and without."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.plan.goregex.search import compile_pattern
from longshore.plan.matching import matches, pattern_problem

ORACLE = json.loads((Path(__file__).parent / "data" / "patterns.json").read_text())
BRANCHES: list[str] = ORACLE["branches"]
RESULTS: dict[str, dict[str, Any] | None] = ORACLE["results"]

NEEDS_RE2 = {"^\\p{Greek}", "^\\p{Han}+$", "^\\p{Latin}+$"}
"""What the automaton cannot do: scripts."""


def _found(pattern: str, prefer_re2: bool) -> dict[str, Any] | None:
    compiled = compile_pattern(pattern, prefer_re2=prefer_re2)
    if compiled.problem:
        return None
    return {"found": [at for at, branch in enumerate(BRANCHES) if compiled.find(branch)]}


def test_go_was_asked_enough() -> None:
    assert len(RESULTS) * len(BRANCHES) >= 200


@pytest.mark.parametrize("prefer_re2", [True, False], ids=["google-re2", "automaton"])
def test_every_pattern_finds_what_go_finds(prefer_re2: bool) -> None:
    different = {
        pattern: (expected, result)
        for pattern, expected in RESULTS.items()
        if (prefer_re2 or pattern not in NEEDS_RE2)
        and (result := _found(pattern, prefer_re2)) != expected
    }
    assert different == {}


@pytest.mark.parametrize(
    ("pattern", "build_tag", "expected"),
    [
        ("master", "master", True),
        ("master", "master-rebase", False),
        ("master", "Master", False),
        ("master", None, False),
        ("^", None, False),
        ("gh-pages", "gh-pages", True),
        ("gh.pages", "gh-pages", False),
        ("v1.2.3", "v1x2x3", False),
        (".*", "master", False),
        ("^(master|staging)", "master-rebase", True),
        ("^(master|staging/.*)$", "staging/eu", True),
        ("^(master|staging/.*)$", "masters", False),
        ("(\\d+(\\.\\d+)+)", "1.2.3", False),
        ("^(?!master)", "develop", False),
        ("^(", "x", False),
        ("^(", "^(", True),
        ("a$b", "a$b", True),
        ("v1$", "release-v1", True),
        ("", "", True),
    ],
)
def test_text_comes_first_and_only_anchors_make_a_pattern(
    pattern: str, build_tag: str | None, expected: bool
) -> None:
    assert matches(pattern, build_tag) is expected


@pytest.mark.parametrize(
    "pattern", ["master", "v1.2.3", "feature/x_y-z", "^master$", "^\\pL", "c++"]
)
def test_values_without_surprise_have_no_problem(pattern: str) -> None:
    assert pattern_problem(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["(\\d+(\\.\\d+)+)", "master|develop", "release-.*", "v[0-9]", "feature/.+", "a?"]
)
def test_a_pattern_without_anchor_is_noticed(pattern: str) -> None:
    assert "has neither ^ nor $" in str(pattern_problem(pattern))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("^(?!master).*$", "look-ahead (?!…) does not exist in RE2"),
        ("^(a", '"(" without ")"'),
        ("^a)", '")" without "("'),
        ("^(a)\\1$", "\\1 (what a group matched) does not exist in RE2"),
        ("^(?<n>a)$", "a group is named (?P<name>…)"),
        ("^[z-a]$", "the range z-a runs backwards"),
        ("^[a", "[a has no closing ]"),
        ("^a**$", "* repeats a repetition"),
        ("|*$", "* has nothing before it to repeat"),
        ("^a{1001}$", "nothing can be repeated more than 1000 times"),
        ("^\\C$", "\\C (a single byte) does not exist in Go"),
        ("^[[:foo:]]$", "[:foo:] names no class of characters"),
        ("^" + "a" * 10_000, "it is longer than 10000 characters"),
    ],
)
def test_a_pattern_that_never_matches_is_explained(pattern: str, reason: str) -> None:
    problem = pattern_problem(pattern)
    assert problem is not None
    assert problem.startswith("never matches, because it is no RE2 regular expression: ")
    assert reason in problem


@pytest.mark.parametrize("pattern", ["^\\p{Greek}$", "^(a{500}b{500}){1}" + "(c{900}d{900})" * 30])
def test_what_the_automaton_cannot_do_it_refuses(pattern: str) -> None:
    assert "needs google-re2" in str(compile_pattern(pattern, prefer_re2=False).problem)
    assert compile_pattern(pattern).problem is None


def test_deep_groups_are_refused_by_the_automaton_not_crashed_on() -> None:
    deep = "(" * 900 + "a" + ")" * 900
    assert "need google-re2" in str(compile_pattern(deep, prefer_re2=False).problem)
    assert compile_pattern("(" * 90 + "a" + ")" * 90, prefer_re2=False).find("a")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("prefer_re2", [True, False], ids=["google-re2", "automaton"])
def test_patterns_that_make_backtrackers_hang_take_no_time(prefer_re2: bool) -> None:
    for pattern in ("^(a+)+$", "^(a|aa)+$", "^(a*)*b$", "^(.*a){20}$", "^(a?){50}a{50}$"):
        compiled = compile_pattern(pattern, prefer_re2=prefer_re2)
        assert compiled.problem is None
        assert not compiled.find("a" * 2000 + "!")


_PIECES = [
    "a", "b", ".", "^", "$", "|", "(", ")", "(?:", "(?i)", "(?s)", "(?m)", "*", "+", "?", "{2}",
    "{1,3}", "[ab]", "[^a]", "[a-c]", "[[:alpha:]]", "\\d", "\\w", "\\W", "\\b", "\\B", "\\pL",
    "\\p{Lu}", "-", "master", "k", "é", "\\n", "\\Qa.b\\E", "\\x41", "\\.",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=9).map("".join), st.sampled_from(BRANCHES))
def test_the_automaton_and_google_re2_agree(pattern: str, branch: str) -> None:
    with_re2, without = (compile_pattern(pattern, prefer_re2=prefer) for prefer in (True, False))
    assert with_re2.problem == without.problem
    assert with_re2.find(branch) == without.find(branch)


@given(st.text(max_size=30), st.text(max_size=10))
def test_no_text_is_too_odd_for_a_pattern(pattern: str, build_tag: str) -> None:
    assert matches(pattern, build_tag) in (True, False)
    pattern_problem(pattern)


def test_surrogates_from_the_command_line_do_no_harm() -> None:
    assert matches("^a", "a\udcff")
    assert matches("^a.$", "a\udcff")
    assert not matches("^\udcff$", "b")
    assert pattern_problem("^\udcff$")


def test_google_re2_writes_nothing_to_standard_error() -> None:
    code = "from longshore.plan.matching import matches; matches('^(?P<a>x)(?P<a>y)(', 'x')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stderr == b""
