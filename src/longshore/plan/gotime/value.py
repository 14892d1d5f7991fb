"""`GoTime`: an instant with nanoseconds and a location, as Go's ``time.Time``."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from longshore.plan.gotime.civil import date_of, days_of
from longshore.plan.gotime.duration import SECOND, Duration
from longshore.plan.gotime.kinds import Month, Weekday
from longshore.plan.gotime.layout import Clock, format_clock
from longshore.plan.gotime.zone import UTC_ZONE, Zone, zone_of

_DAY: Final = 86_400
_YEAR_ONE: Final = -62_135_596_800
"""Seconds from 1970 back to Go's zero time, 0001-01-01 00:00:00 UTC."""

STRING_LAYOUT: Final = "2006-01-02 15:04:05.999999999 -0700 MST"


class GoTime(Struct, frozen=True):
    """`seconds` since 1970-01-01 UTC (any sign), 0 <= `nanosecond` < 1e9, and where it is shown."""

    seconds: int
    nanosecond: int = 0
    zone: Zone = UTC_ZONE

    @staticmethod
    def of(moment: datetime) -> GoTime:
        """A datetime with its zone; one without a zone is taken as UTC."""
        offset = moment.utcoffset()
        days = days_of(moment.year, moment.month, moment.day)
        seconds = days * _DAY + moment.hour * 3600 + moment.minute * 60 + moment.second
        if offset is not None:
            seconds -= int(offset.total_seconds())
        return GoTime(seconds, moment.microsecond * 1000, zone_of(moment.tzinfo))

    @property
    def clock(self) -> Clock:
        """What the wall shows at this instant in this location."""
        offset, abbreviation = self.zone.at(self.seconds)
        days, second = divmod(self.seconds + offset, _DAY)
        year, month, day = date_of(days)
        return Clock(
            year=year,
            month=Month(month),
            day=day,
            weekday=Weekday((days + 4) % 7),
            day_of_year=days - days_of(year, 1, 1) + 1,
            hour=second // 3600,
            minute=second // 60 % 60,
            second=second % 60,
            nanosecond=self.nanosecond,
            offset=offset,
            abbreviation=abbreviation,
        )

    def format(self, layout: str) -> str:
        """The time in a Go layout (Go's package time, "Layout")."""
        return format_clock(self.clock, layout)

    def text(self) -> str:
        """Go's String: ``2009-11-10 23:00:00 +0000 UTC``."""
        return self.format(STRING_LAYOUT)

    def go_text(self) -> str:
        """Go's GoString, which ``%#v`` shows: a call of time.Date."""
        clock = self.clock
        day = f"{clock.year}, time.{clock.month.text()}, {clock.day}"
        hour = f"{clock.hour}, {clock.minute}, {clock.second}, {clock.nanosecond}"
        return f"time.Date({day}, {hour}, {_go_location(self.zone)})"

    @property
    def nanoseconds(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return self.seconds * SECOND + self.nanosecond

    @property
    def is_zero(self) -> bool:
        """Whether this is Go's zero time, the first moment of the year 1."""
        return self.seconds == _YEAR_ONE and self.nanosecond == 0

    def shown_in(self, zone: Zone) -> GoTime:
        """The same instant elsewhere."""
        return replace(self, zone=zone)

    def plus(self, duration: int) -> GoTime:
        """So many nanoseconds later."""
        seconds, nanosecond = divmod(self.nanoseconds + duration, SECOND)
        return replace(self, seconds=seconds, nanosecond=nanosecond)

    def plus_date(self, years: int, months: int, days: int) -> GoTime:
        """The same time of day on another date; a date that does not exist carries over."""
        clock = self.clock
        day = days_of(clock.year + years, clock.month + months, clock.day + days)
        wall = day * _DAY + clock.hour * 3600 + clock.minute * 60 + clock.second
        return replace(self, seconds=wall - self._offset_of_wall(wall))

    def _offset_of_wall(self, wall: int) -> int:
        """Go's rule for hours that a clock change skips or repeats: ask twice, take the second."""
        guess = self.zone.at(wall)[0]
        return self.zone.at(wall - guess)[0] if guess else 0

    def since(self, other: GoTime) -> Duration:
        """How much later than `other`, within what a Duration holds."""
        return Duration.within(self.nanoseconds - other.nanoseconds)

    def truncated(self, unit: int) -> GoTime:
        """Cut down to a multiple of `unit` nanoseconds since the year 1 (not since 1970)."""
        return self if unit <= 0 else self.plus(-self._beyond(unit))

    def rounded(self, unit: int) -> GoTime:
        """The nearest multiple of `unit` nanoseconds since the year 1, halves up."""
        if unit <= 0:
            return self
        beyond = self._beyond(unit)
        return self.plus(unit - beyond if beyond * 2 >= unit else -beyond)

    def _beyond(self, unit: int) -> int:
        return (self.nanoseconds - _YEAR_ONE * SECOND) % unit


def _go_location(zone: Zone) -> str:
    if zone.name in ("UTC", "Local"):
        return f"time.{zone.name}"
    return f"time.Location({_quoted(zone.name)})"


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
