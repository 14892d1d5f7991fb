"""Range headers of uploads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.registry.ranges import content_range, received


@pytest.mark.parametrize(
    ("header", "count"),
    [
        (None, 0),
        ("", 0),
        ("0-0", 0),
        ("0-1", 2),
        ("0-1023", 1024),
        ("bytes=0-1023", 1024),
        (" 0-9 ", 10),
        ("5-9", 0),
        ("0--1", 0),
        ("nonsense", 0),
    ],
)
def test_a_range_says_how_many_bytes_arrived(header: str | None, count: int) -> None:
    assert received(header) == count


@given(st.text(max_size=40))
def test_any_header_gives_a_number_and_never_an_error(header: str) -> None:
    assert received(header) >= 0


@given(st.integers(1, 2**50))
def test_what_we_announce_is_read_back_as_sent(length: int) -> None:
    assert received(content_range(0, length)) == (length if length > 1 else 0)
