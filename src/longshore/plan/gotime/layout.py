"""Go's time layouts: a sample date, ``Mon Jan 2 15:04:05 MST 2006``, written as wanted."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from msgspec import Struct

from longshore.plan.gotime.kinds import Month, Weekday

# Leftmost match, alternatives in Go's order of preference: "_2006" is a literal "_" and a year,
# "Jan" and "Mon" count only where no lower-case letter follows ("Monte", "Jane").
_ELEMENT = re.compile(
    r"""
      January | Jan(?![a-z]) | Monday | Mon(?![a-z]) | MST
    | 002 | 0[1-6] | 15 | 2006 | __2 | _2(?!006) | [1-5]
    | PM | pm
    | [-Z]07(?: 0000 | :00:00 | 00 | :00 )?
    | [.,](?: 0+ | 9+ )(?![0-9])
    """,
    re.VERBOSE,
)


class Clock(Struct, frozen=True, kw_only=True):
    """An instant as the clock and the calendar on the wall show it."""

    year: int
    month: Month
    day: int
    weekday: Weekday
    day_of_year: int
    hour: int
    minute: int
    second: int
    nanosecond: int
    offset: int
    abbreviation: str


def format_clock(clock: Clock, layout: str) -> str:
    """`layout` with each element of the sample date replaced; the rest is literal text."""
    return _ELEMENT.sub(lambda found: _element(clock, found[0]), layout)


def _element(clock: Clock, element: str) -> str:
    simple = _SIMPLE.get(element)
    if simple is not None:
        return simple(clock)
    if element[0] in "-Z":
        return _offset(clock.offset, element)
    return _fraction(clock.nanosecond, element)


def _padded(number: int, width: int) -> str:
    """Zeros up to `width` digits; a sign comes on top, as Go has it."""
    return f"{'-' if number < 0 else ''}{abs(number):0{width}d}"


def _hour12(clock: Clock) -> int:
    return clock.hour % 12 or 12


_SIMPLE: dict[str, Callable[[Clock], str]] = {
    "January": lambda clock: clock.month.text(),
    "Jan": lambda clock: clock.month.text()[:3],
    "1": lambda clock: str(int(clock.month)),
    "01": lambda clock: _padded(clock.month, 2),
    "Monday": lambda clock: clock.weekday.text(),
    "Mon": lambda clock: clock.weekday.text()[:3],
    "2": lambda clock: str(clock.day),
    "_2": lambda clock: f"{clock.day:2d}",
    "02": lambda clock: _padded(clock.day, 2),
    "__2": lambda clock: f"{clock.day_of_year:3d}",
    "002": lambda clock: _padded(clock.day_of_year, 3),
    "15": lambda clock: _padded(clock.hour, 2),
    "3": lambda clock: str(_hour12(clock)),
    "03": lambda clock: _padded(_hour12(clock), 2),
    "4": lambda clock: str(clock.minute),
    "04": lambda clock: _padded(clock.minute, 2),
    "5": lambda clock: str(clock.second),
    "05": lambda clock: _padded(clock.second, 2),
    "2006": lambda clock: _padded(clock.year, 4),
    "06": lambda clock: _padded(abs(clock.year) % 100, 2),
    "PM": lambda clock: "PM" if clock.hour >= 12 else "AM",
    "pm": lambda clock: "pm" if clock.hour >= 12 else "am",
    "MST": lambda clock: clock.abbreviation or _offset(clock.offset, "-0700"),
}


def _offset(offset: int, element: str) -> str:
    if element[0] == "Z" and offset == 0:
        return "Z"
    # Go cuts towards zero to whole minutes, so -30 seconds are shown as "+00:00:-30".
    minutes = int(offset / 60)
    parts = [f"{abs(minutes) // 60:02d}"]
    if len(element) > 3:
        parts.append(f"{abs(minutes) % 60:02d}")
    if len(element) > 6:
        parts.append(_padded(int(math.fmod(-offset if minutes < 0 else offset, 60)), 2))
    return ("-" if minutes < 0 else "+") + (":" if ":" in element else "").join(parts)


def _fraction(nanosecond: int, element: str) -> str:
    digits = f"{nanosecond:09d}"[: len(element) - 1]
    if element[1] == "9":
        digits = digits.rstrip("0")
        return element[0] + digits if digits else ""
    return element[0] + digits
