"""YAML to nodes: text kept, places right, merge keys and aliases as spec F-15 wants."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.config.node import Mapping, Node, Scalar, Sequence, places_below
from longshore.config.problem import Problem, Problems
from longshore.config.source import SourceText, decode
from longshore.config.yaml_source import read_yaml


def tree(text: str) -> Node:
    problems = Problems()
    root = read_yaml(SourceText("f", text), problems)
    assert root is not None
    assert not problems.found
    return root


def faults(data: str | bytes) -> list[str]:
    problems = Problems()
    source = decode("f", data.encode() if isinstance(data, str) else data)
    if isinstance(source, Problem):
        return [str(source)]
    read_yaml(source, problems)
    return [str(problem) for problem in problems.sorted()]


def plain(node: Node | None) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.pairs} if node else None


@pytest.mark.parametrize("text", ["08", "9.10", "true", "1e3", "yes", "~", "0o7", "1_000", ".5"])
def test_plain_scalars_keep_their_source_text(text: str) -> None:
    node = tree(f"a: {text}\n")
    assert isinstance(node, Mapping)
    value = node.get("a")
    assert isinstance(value, Scalar)
    assert (value.text, value.plain) == (text, True)


def test_merge_keys_local_key_wins_whatever_its_order_and_earlier_maps_beat_later() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {x: 9, <<: [*a, *b]}\nd: {<<: *a, y: 8}\n"
    found = plain(tree(text))
    assert isinstance(found, dict)
    assert found["c"] == {"x": "9", "y": "1", "z": "2"}
    assert found["d"] == {"x": "1", "y": "8"}


def test_a_quoted_merge_key_is_an_ordinary_key() -> None:
    assert plain(tree('{"<<": {a: b}}')) == {"<<": {"a": "b"}}


def test_a_redefined_anchor_means_the_nearest_above() -> None:
    assert plain(tree("[&a 1, *a, &a 2, *a]")) == ["1", "1", "2", "2"]


def test_columns_count_characters_and_lines_count_as_editors_do() -> None:
    node = tree('"é😀": [x,\u2028 y]\nb: c\n')
    assert isinstance(node, Mapping)
    assert [str(key.place) for key, _ in node.pairs] == ["f:1:1", "f:2:1"]
    assert str(node.pairs[0][1].place) == "f:1:7"


def test_crlf_and_byte_order_marks_do_not_shift_places() -> None:
    for data in (b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "a: 1\r\nb: 2\r\n".encode("utf-16")):
        source = decode("f", data)
        assert isinstance(source, SourceText)
        node = read_yaml(source, Problems())
        assert isinstance(node, Mapping)
        assert [str(value.place) for _, value in node.pairs] == ["f:1:4", "f:2:4"]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"a: \xff\n", "f:1:4: error: this is not UTF-8 text"),
        (b"a: 1\nb: \x00\n", "f:2:4: error: a NUL character may not stand in a YAML file"),
        (b'a: "b\\0"\n', "f:1:4: error: this text holds a NUL character"),
        (b'"a\\x00": b\n', "f:1:1: error: this text holds a NUL character"),
        (b'{"a": "b\\u0000"}', "f:1:7: error: this text holds a NUL character"),
        (b"a: \x07\n", "f:1:4: error: the control character 0x7 may not stand in a YAML file"),
        (b"\xff\xfea\0\0\xd8", "f:1:2: error: this is not UTF-16-LE text"),
        (b"a:\n\tb: 1\n", "f:2:1: error: a tab is used for indentation"),
        (b"a: 1\n---\nb: 2\n", "f:2:1: error: a second document begins here"),
        (b"a: *b\n", 'f:1:4: error: alias "*b" refers to no anchor above it'),
        (b"a: &a [*a]\n", 'f:1:8: error: alias "*a" stands inside the value it refers to'),
        (b"<<: 3\n", 'f:1:5: error: "<<" takes a map, or a list of maps'),
        (b"[a]: 3\n", "f:1:1: error: a key must be a text, not a list or a map"),
        (b"a: 1\nb: 2\na: 3\n", 'f:3:1: error: key "a" is defined twice: in line 1 and in line 3'),
        (b'a: "x\nb: y\n', "f:1:4: error: the quote opened here is never closed"),
        (b'a: "x\nb: "y"\n', "f:1:4: error: the quote opened here is closed in a later line"),
        (b"a: [x\nb: y\n", "f:1:4: error: the list opened here with [ is not closed"),
        (b"a: {x: 1\nb: y\n", "f:1:4: error: the map opened here with { is not closed"),
        (b'a: "\\q"\n', 'f:1:5: error: unknown escape in double quotes: "\\q"'),
        (b"- a: 1\n   b: 2\n", "f:2:4: error: this key is not indented like the keys around it"),
        (b"abc\nd: 1\n", 'f:2:2: error: a ":" cannot stand here'),
        (b"%YAML 3.0\n---\na: 1\n", "f:1:1: error: this version of YAML is not known"),
        (b"a: !<x y\n", 'f:1:7: error: "!" begins a YAML tag, and this is none'),
        (b"a: | x\n  y\n", "f:1:6: error: only a comment may follow on this line"),
        (b"a: &\n", "f:1:5: error: the name of an anchor is missing here"),
    ],
)
def test_each_fault_is_told_once_at_its_place(data: bytes, fault: str) -> None:
    found = faults(data)
    assert len(found) == 1
    assert found[0].startswith(fault)


def duplicates(text: str) -> list[str]:
    told = re.compile(
        r'f:(\d+):\d+: error: key "(.*)" is defined twice: in line (\d+) and in .* \1'
    )
    found = [told.fullmatch(fault) for fault in faults(text)]
    return [f"{one[2]} {one[3]} {one[1]}" for one in found if one]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\nb: 4\n", ["a 1 3", "b 2 4"]),
        ("x:\n  a: 1\n  b: 2\n  a: 3\n  b: 4\n", ["a 2 4", "b 3 5"]),
        # A dash is missing: once, twice, for an item that begins otherwise.
        ("- a: 1\n  b: 2\n  a: 3\n  b: 4\n", ["a 1 3"]),
        ("- a: 1\n  b: 2\n  a: 3\n  b: 4\n  a: 5\n  b: 6\n", ["a 1 3", "a 1 5"]),
        ("- n: 0\n  a: 1\n  b: 2\n  a: 3\n  b: 4\n", ["a 2 4"]),
        ("- a: 1\n  b: 2\n  b: 3\n  a: 4\n", ["b 2 3", "a 1 4"]),
        ("- a: 1\n  a: 2\n  a: 3\n", ["a 1 2", "a 1 3"]),
        ("? &k a\n: 1\n*k : 2\n", ["a 1 3"]),
        ("x: &x {a: 1}\ny: &y {b: 1}\nz:\n  <<: *x\n  <<: *y\n", ["<< 4 5"]),
    ],
)
def test_every_duplicate_is_told_with_both_lines_but_those_of_one_missing_dash(
    text: str, told: list[str]
) -> None:
    """F-21, at any level."""
    assert duplicates(text) == told


def test_overriding_a_merged_key_is_no_duplicate() -> None:
    assert faults("a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n") == []


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_tree_or_one_fault_at_a_place_in_the_file(data: bytes) -> None:
    source = decode("f", data)
    if isinstance(source, Problem):
        return
    problems = Problems()
    root = read_yaml(source, problems)
    assert root is not None or len(problems.errors) >= 1
    for problem in problems.found:
        assert problem.place.line == 1 or source.line(problem.place.line) is not None


@given(st.text(alphabet="ab:- \n\t[]{},&*<\"'#|>!%@`\\\u2028é", max_size=60))
def test_yaml_like_text_never_escapes_as_an_exception(text: str) -> None:
    faults(text)


# What YAML allows unescaped; JSON escapes the rest, but writes DEL and C1 controls as they are.
_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"),
    max_size=8,
)


@given(
    st.recursive(
        _TEXT,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(_TEXT.filter(lambda key: key != "<<"), inner)
        ),
        max_leaves=20,
    )
)
def test_json_is_read_as_it_is(value: object) -> None:
    assert plain(tree(json.dumps(value, ensure_ascii=False))) == value


@given(st.recursive(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.lists))
def test_json_with_escapes_is_read_as_it_is(value: object) -> None:
    """What Python's json.dump writes: beyond 16 bits, two escapes a character (F-14)."""
    assert plain(tree(json.dumps([value]))) == [value]


def test_two_escapes_for_a_character_shift_no_place() -> None:
    """Behind an escaped backslash there is a pair, or the text of one."""
    text = r'{"\ud83c\udf89": "\\\ud83c\uDF89", "a": {"b": "\\ud83c\\udf89", "c": d}}'
    root = tree(text)
    assert isinstance(root, Mapping)
    assert plain(root) == {"🎉": "\\🎉", "a": {"b": r"\ud83c\udf89", "c": "d"}}
    starts = [text[place.column - 1 :][:4] for _, place in places_below(root)]
    assert starts == ['"\\\\\\', '{"b"', r'"\\u', "d}}"]
    assert root.pairs[0][0].length == 14


def test_two_escapes_are_two_escapes_where_nothing_is_quoted() -> None:
    assert plain(tree("a: \\ud83c\\udf89\n")) == {"a": "\\ud83c\\udf89"}


def test_a_byte_order_mark_inside_a_file_leaves_places_inside_it() -> None:
    source = SourceText("f", "---\n\ufeff")
    root = read_yaml(source, Problems())
    assert root is not None
    assert source.line(root.place.line) is not None
