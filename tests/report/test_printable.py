"""Texts of others as a terminal gets them."""

from __future__ import annotations

from longshore.report.printable import printable, printable_lines


def test_what_would_move_the_cursor_or_end_the_line_is_shown_as_its_code() -> None:
    assert printable("a\x1b[2J\rb\x07\nc") == "a\\x1b[2J\\x0db\\x07\\x0ac"


def test_tabs_stay_beside_what_does_not() -> None:
    assert printable("a\tb\0") == "a\tb\\x00"


def test_lines_stay_where_they_end_and_end_nowhere_else() -> None:
    assert printable_lines("one\n\ntwo\x1b\rthree\u2028four\n") == (
        "one\n\ntwo\\x1b\\x0dthree\\x2028four\n"
    )
