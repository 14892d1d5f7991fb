"""What must come before what (S-34, I-7)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from longshore.plan.order import needed_first


@given(st.lists(st.sets(st.integers(0, 11), max_size=4), min_size=12, max_size=12))
def test_the_order_is_that_of_a_search_that_goes_deep_first(needed: list[set[int]]) -> None:
    """Any needs some of those after it."""
    direct = {number: [n for n in below if n > number] for number, below in enumerate(needed)}

    def order(number: int, found: dict[int, None]) -> dict[int, None]:
        for below in direct[number]:
            if below not in found:
                order(below, found)[below] = None
        return found

    named = {str(n): [str(below) for below in direct[n]] for n in direct}
    expected = {str(n): tuple(map(str, order(n, {}))) for n in direct}
    assert needed_first(named) == expected
