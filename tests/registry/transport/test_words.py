"""What registries, and what stands before them, say themselves."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from longshore.registry.transport.words import registry_words
from longshore.testing.registry_answer import answer


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"errors":[{"code":"X","message":"m","detail":{"a":1}}]}', ("X", 'm ({"a": 1})')),
        (b'{"errors":[{"code":"X"}]}', ("X", None)),
        (
            b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":'
            b'[{"Type":"repository","Class":"","Name":"team/app","Action":"pull"},'
            b'{"Type":"repository","Class":"","Name":"team/app","Action":"push"}]}]}',
            ("UNAUTHORIZED", "authentication required (for pull, push)"),
        ),
        (
            b'{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"DriverName":'
            b'"filesystem","Enclosed":{"Op":"mkdir","Path":"/data/x","Err":28}}}]}',
            ("UNKNOWN", "unknown error (mkdir /data/x: no space left on device)"),
        ),
        (
            b'{"errors":[{"message":"m","detail":{"Enclosed":{"Op":"write","Path":"/x","Err":122}}}]}',
            (None, "m (write /x: disk quota exceeded)"),
        ),
        (
            b'{"errors":[{"code":"UNKNOWN","message":"m","detail":{"Enclosed":{"Err":[5]}}}]}',
            ("UNKNOWN", 'm ({"Enclosed": {"Err": [5]}})'),
        ),
        (b'{"errors":[{"message":"m","detail":"m"}]}', (None, "m")),
        (b'{"errors":[]}', (None, '{"errors":[]}')),
        (b'{"errors":["x"]}', (None, '{"errors":["x"]}')),
        (b'{"details":"incorrect username or password"}', (None, "incorrect username or password")),
        (b'{"error":"invalid_grant","error_description":"no"}', (None, "no")),
        (b'{"message":["x"],"error":"denied"}', (None, "denied")),
        (b'["x"]', (None, '["x"]')),
        (b"<html>502</html>", (None, None)),
        (b"plain words\n", (None, "plain words")),
        (b"", (None, None)),
        (b"\x1b[31mred", (None, " [31mred")),
    ],
)
def test_registries_and_proxies_explain_themselves_in_many_ways(
    body: bytes, words: tuple[str | None, str | None]
) -> None:
    assert registry_words(body) == words


def test_a_code_cannot_write_to_the_terminal() -> None:
    body = json.dumps({"errors": [{"code": "\x1b[31mX\n::add-mask::x"}]}).encode()
    assert registry_words(body) == (" [31mX ::add-mask::x", None)


@given(st.binary(max_size=2000))
def test_any_body_gives_short_printable_words(body: bytes) -> None:
    for word in registry_words(body):
        assert word is None or (len(word) <= 400 and word.isprintable())


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    ["errors", "code", "message", "detail", "Action", "Enclosed", "Err"]
                ),
                x,
            )
        ),
        max_leaves=8,
    )
)
def test_any_json_is_read_without_an_error(document: object) -> None:
    for word in registry_words(json.dumps(document).encode()):
        assert word is None or (len(word) <= 400 and word.isprintable())


def test_json_nested_without_end_is_no_bug_of_ours() -> None:
    body = b"[" * 200_000
    assert registry_words(body)[0] is None
    assert answer(500, URL("http://r.example/"), body).json() is None
