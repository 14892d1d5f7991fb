"""Tags hold only what a registry accepts (P-13)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.plan.tags import sanitise_tag


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("sandbox-app.v0.2.6", "sandbox-app.v0.2.6"),
        ("feature/x", "featurex"),
        ("_ok", "_ok"),
        ("--.-a.-", "a.-"),
        ("/.x", "x"),
        ("2020-02-09T22:33:55Z", "2020-02-09T223355Z"),
        ("müller 日本", "mller"),
        ("v1\n", "v1"),
        ("...", ""),
        ("", ""),
        ("a" * 200, "a" * 128),
        ("-" * 200 + "b", "b"),
    ],
)
def test_illegal_characters_are_removed_not_replaced(text: str, tag: str) -> None:
    assert sanitise_tag(text) == tag


@given(st.text())
def test_the_result_is_empty_or_a_legal_tag(text: str) -> None:
    tag = sanitise_tag(text)
    assert tag == "" or re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag)


@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True))
def test_legal_tags_stay_as_they_are(tag: str) -> None:
    assert sanitise_tag(tag) == tag
