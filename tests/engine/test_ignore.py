"""``.dockerignore``: the documented examples and the engine's own matcher's decisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.engine.ignore import parse, parse_pattern
from longshore.errors import InvalidValue


@pytest.mark.parametrize(
    ("lines", "out", "kept"),
    [
        # The examples of Docker's reference.
        (["*/temp*"], ["a/temporary.txt", "a/temp"], ["temp", "a/b/temp"]),
        (["*/*/temp*"], ["a/b/temporary.txt"], ["a/temp", "a/b/c/temp"]),
        (["temp?"], ["tempa", "tempb"], ["temp", "tempab", "a/tempa"]),
        (["**/*.go"], ["x.go", "a/x.go", "a/b/x.go"], ["x.goo", "go"]),
        (["*.md", "!README.md"], ["a.md"], ["README.md", "b/c.md"]),
        (
            ["*.md", "!README*.md", "README-secret.md"],
            ["a.md", "README-secret.md"],
            ["README.md", "README-x.md"],
        ),
        (
            ["*.md", "README-secret.md", "!README*.md"],
            ["a.md"],
            ["README.md", "README-secret.md"],
        ),
        (["# comment", "*/temp*"], ["a/temp"], ["# comment"]),
        (["foo/bar"], ["foo/bar", "foo/bar/x"], ["foo", "x/foo/bar"]),
        (["/foo/bar", "/", ""], ["foo/bar"], ["x/foo/bar"]),
        # What the reference does not say.
        (["node_modules"], ["node_modules/a/b"], ["a/node_modules"]),
        (["**/node_modules"], ["node_modules", "a/node_modules/b"], ["node_modules2"]),
        (["a/**"], ["a/b", "a/b/c"], ["a", "ab"]),
        (["a/**/b"], ["a/b", "a/x/y/b", "a/b/c"], ["ab", "xa/b"]),
        (["**"], ["a", "a/b"], []),
        (["**", "!a/b"], ["a", "a/c", "b"], ["a/b", "a/b/c"]),
        (["**suffix"], ["suffix", "a/xsuffix"], ["suffix2"]),
        ([" a ", "  !  a/b  "], ["a", "a/c"], ["a/b"]),
        ([" # no comment"], ["# no comment"], ["no comment"]),
        (["./a/../b/", "c//d"], ["b", "b/x", "c/d"], ["a", "c"]),
        (["a[0-9].txt"], ["a1.txt"], ["ax.txt", "a12.txt"]),
        (["a[^0-9].txt"], ["ax.txt"], ["a1.txt"]),
        (["[*]"], [], ["*", "a"]),
        ([r"\*"], ["*"], ["a"]),
        ([r"\!a"], ["!a"], ["a"]),
        (["a.c", "a+b", "(x)", "{y}", "a$"], ["a.c", "a+b", "(x)", "{y}", "a$"], ["abc", "aab"]),
        (["!a", "a"], ["a"], []),
        (["\ufeffbom"], ["bom"], []),
        (["crlf\r"], ["crlf"], []),
        (["é?"], ["éa"], ["é"]),
    ],
)
def test_what_is_left_out(lines: list[str], out: list[str], kept: list[str]) -> None:
    ignore = parse("\n".join(lines))
    assert [path for path in out + kept if ignore.ignores(path)] == out


@pytest.mark.parametrize("line", ["[", "a[b", "[]", "[]a]", "[a-]", "!", "a\\", "[-a]"])
def test_a_broken_pattern_is_told_with_its_line(line: str) -> None:
    with pytest.raises(InvalidValue, match="line 3"):
        parse(f"ok\n\n{line}\n")


def test_an_ignored_directory_is_looked_into_only_for_an_exception_that_names_it() -> None:
    ignore = parse("*\n!a/b/c\n!**/deep\n")
    assert ignore.may_keep_below("a")
    assert ignore.may_keep_below("a/b")
    assert not ignore.may_keep_below("other")
    assert not parse("*\na/b\n").may_keep_below("a")


def test_paths_that_must_be_sent_are_kept() -> None:
    ignore = parse("*\n").keeping(["Dockerfile", ".dockerignore"])
    assert not ignore.ignores("Dockerfile")
    assert not ignore.ignores(".dockerignore")
    assert ignore.ignores("Dockerfile2")


@given(st.text(alphabet="ab/*?![]\\^-.# \n\t", max_size=30), st.text(alphabet="ab/.", min_size=1))
def test_any_text_is_patterns_or_an_invalid_value(text: str, path: str) -> None:
    try:
        ignore = parse(text)
    except InvalidValue:
        return
    assert ignore.ignores(path) in {True, False}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("**/*a*a*a*a*a*a*a*a*a*a*a*a*b", "d/" + "a" * 200 + "b"),
        ("*?*?*?*?*?*?*?*?*?*?*?*z", "a" * 200 + "z"),
        ("a**a**a**a**a**a**a**a**z", "a" * 8 + "z"),
        ("**/a/**/a/**/b", "a/" * 1999 + "b"),
    ],
)
def test_a_pattern_of_many_wildcards_is_decided_at_once(line: str, name: str) -> None:
    """`re` alone would not come to an end, and no Ctrl-C would reach it."""
    ignore = parse(line)
    assert ignore.ignores(name)
    assert not any(map(ignore.patterns[0].matches, ("a" * 250, "a/" * 1999 + "a")))


_PIECES = [
    "*",
    "**",
    "**/",
    "?",
    "a",
    "b",
    "/",
    "[ab]",
    "[^a]",
    "[a*b]",
    "^",
    "-",
    r"\d",
    r"\b",
    ".",
]


@given(
    st.lists(st.sampled_from(_PIECES), min_size=4, max_size=12).map("".join),
    st.text("ab/1.\n", max_size=9),
)
def test_many_wildcards_mean_what_few_do(line: str, path: str) -> None:
    try:
        pattern = parse_pattern(line)
    except InvalidValue:
        return
    if pattern.wildcards is not None:
        assert pattern.matches(path) == (pattern.expression.fullmatch(path) is not None)
