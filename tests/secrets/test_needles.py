"""The search against the plainest possible one."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.secrets.needles import Needles, Span

# Few letters, so that needles occur, overlap and repeat.
few = st.binary(min_size=4, max_size=60).map(lambda data: bytes(b"ab\nc"[b % 4] for b in data))
both_ways = pytest.mark.parametrize("automaton", [True, False], ids=["RE2", "grams"])
needle_sets = st.lists(few, min_size=1, max_size=30)


def plainly(needles: list[bytes], data: bytes) -> list[Span]:
    spans = sorted(
        {
            (start, start + len(needle))
            for needle in needles
            for start in range(len(data))
            if data.startswith(needle, start)
        }
    )
    joined: list[Span] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


@st.composite
def texts(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    needles = draw(needle_sets)
    pieces = draw(st.lists(st.one_of(few, st.sampled_from(needles)), max_size=12))
    return needles, b"".join(pieces)


@both_ways
@settings(max_examples=300, deadline=None)
@given(texts())
def test_every_occurrence_is_found_overlapping_ones_joined(
    automaton: bool, case: tuple[list[bytes], bytes]
) -> None:
    needles, data = case
    assert Needles.of(needles, automaton=automaton).spans(data) == plainly(needles, data)


@settings(max_examples=200, deadline=None)
@given(texts())
def test_the_longest_end_that_may_go_on_is_held_back(case: tuple[list[bytes], bytes]) -> None:
    needles, data = case
    expected = min(
        (
            place
            for place in range(len(data))
            if any(n.startswith(data[place:]) and len(n) > len(data) - place for n in needles)
        ),
        default=len(data),
    )
    assert Needles.of(needles).partial(data) == expected


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("extra", [0, 1, 5])
@both_ways
def test_a_needle_is_found_wherever_it_stands_whatever_the_stride(
    automaton: bool, stride: int, extra: int
) -> None:
    size = stride + 3 + extra
    needle = bytes(65 + number % 26 for number in range(size))
    others = [bytes([97 + number]) * 3 + needle[3:] for number in range(100)]
    found = Needles.of([needle, *others], automaton=automaton)
    assert found.stride == max(s for s in (1, 2, 4, 8, 16, 32) if s + 3 <= size)
    assert automaton or found.grams
    for offset in (*range(70), 2040, 2041, 2047, 2048, 4095):
        data = b"." * offset + needle + b"." * 9
        assert found.spans(data) == [(offset, offset + size)]


def test_without_re2_the_search_goes_on_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Needles.of([b"hunter2"]).starts is not None, "the tests run with RE2"
    monkeypatch.setitem(sys.modules, "re2", None)
    without = Needles.of([b"hunter2"])
    assert without.starts is None
    assert without.spans(b"a hunter2") == [(2, 9)]


@both_ways
def test_thousands_of_long_needles_are_found(automaton: bool) -> None:
    needles = [b"%08d" % (number * 7919) * 15 for number in range(5000)]
    found = Needles.of(needles, automaton=automaton)
    assert found.spans(b"xx" + needles[4321] + b"yy") == [(2, 122)]


def test_the_search_does_not_show_what_it_looks_for() -> None:
    assert "hunter2" not in repr(Needles.of([b"hunter2"]))


def test_no_needles_find_nothing() -> None:
    nothing = Needles.of([])
    assert nothing.spans(b"anything") == []
    assert nothing.partial(b"anything") == 8


@both_ways
def test_large_binary_data_is_searched_completely(automaton: bool) -> None:
    needle = b"\xff\x00secret\x80\x81"
    data = bytearray(bytes(range(256)) * 2000)
    places = [0, 1, 4097, 65_535, 300_001, len(data) - len(needle)]
    for place in places:
        data[place : place + len(needle)] = needle
    filler = [bytes([200 + number]) * 12 for number in range(50)]
    expected = [(place, place + len(needle)) for place in places[1:]]
    found = Needles.of([needle, *filler], automaton=automaton)
    assert found.spans(bytes(data)) == expected
