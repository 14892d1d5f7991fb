"""WWW-Authenticate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.registry.auth.challenge import Challenge, parse_challenges

NAMES = st.text("abcdefghijklmnop_", min_size=1, max_size=8)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ('Basic realm="x"', [Challenge("basic", {"realm": "x"})]),
        ("Basic", [Challenge("basic", {})]),
        (
            'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
            'scope="repository:a/b:pull,push"',
            [
                Challenge(
                    "bearer",
                    {
                        "realm": "https://auth.docker.io/token",
                        "service": "registry.docker.io",
                        "scope": "repository:a/b:pull,push",
                    },
                )
            ],
        ),
        (
            'Negotiate, Basic realm="a, b" , BEARER Realm=https://r/t',
            [
                Challenge("negotiate", {}),
                Challenge("basic", {"realm": "a, b"}),
                Challenge("bearer", {"realm": "https://r/t"}),
            ],
        ),
        (
            'Negotiate a87421000492aa8742==, Basic realm="x"',
            [Challenge("negotiate", {}), Challenge("basic", {"realm": "x"})],
        ),
        ('Basic realm="say \\"hi\\""', [Challenge("basic", {"realm": 'say "hi"'})]),
        ("", []),
        (", ,", []),
        ('"quoted"', []),
        ('Basic realm="unfinished', [Challenge("basic", {})]),
    ],
)
def test_real_world_headers(header: str, challenges: list[Challenge]) -> None:
    found = list(parse_challenges([header]))[: len(challenges)]
    assert found == challenges


@given(st.lists(st.tuples(NAMES, st.dictionaries(NAMES, VALUES, min_size=1)), max_size=4))
def test_what_was_written_is_read_back(challenges: list[tuple[str, dict[str, str]]]) -> None:
    header = ", ".join(
        f"{scheme} " + ",".join(f"{name}={_quoted(value)}" for name, value in parameters.items())
        for scheme, parameters in challenges
    )
    assert parse_challenges([header]) == tuple(Challenge(*parts) for parts in challenges)


@given(st.lists(st.text(max_size=60), max_size=3))
def test_no_header_raises(headers: list[str]) -> None:
    for challenge in parse_challenges(headers):
        assert challenge.scheme == challenge.scheme.lower()


def test_several_headers_are_read_in_order() -> None:
    found = parse_challenges(['Basic realm="x"', 'Bearer realm="y"'])
    assert [challenge.scheme for challenge in found] == ["basic", "bearer"]
