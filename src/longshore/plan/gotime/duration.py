"""Go's ``time.Duration``: whole nanoseconds, printed as ``1h2m3.5s``."""

from __future__ import annotations

from typing import Final

from longshore.plan.gotime.kinds import Int64, TypedInt

SECOND: Final = 1_000_000_000
_MINUTE: Final = 60 * SECOND
_HOUR: Final = 60 * _MINUTE
_LONGEST: Final = (1 << 63) - 1


class Duration(TypedInt):
    """Nanoseconds. Sums beyond 64 bits stop at the ends, as Go's Sub and Round do."""

    go_type = "time.Duration"
    __slots__ = ()

    @classmethod
    def within(cls, nanoseconds: int) -> Duration:
        """The duration, or the longest one there is."""
        return cls(min(max(nanoseconds, -_LONGEST - 1), _LONGEST))

    def text(self) -> str:
        """Go's form: the largest unit first, fractions without trailing zeros."""
        sign = "-" if self < 0 else ""
        left = abs(int(self))
        if left < SECOND:
            return sign + _small(left)
        seconds = _decimal(left % _MINUTE, SECOND) + "s"
        hours, minutes = left // _HOUR, left % _HOUR // _MINUTE
        if hours:
            return f"{sign}{hours}h{minutes}m{seconds}"
        return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds

    def hours(self) -> float:
        """Hours as a floating point number."""
        return _fractional(self, _HOUR)

    def minutes(self) -> float:
        """Minutes as a floating point number."""
        return _fractional(self, _MINUTE)

    def seconds(self) -> float:
        """Seconds as a floating point number."""
        return _fractional(self, SECOND)

    def whole(self, unit: int) -> Int64:
        """Whole units of so many nanoseconds, cut towards zero."""
        return Int64(_cut(self, unit))

    def truncated(self, unit: Duration) -> Duration:
        """Cut towards zero to a multiple of `unit`; unchanged for a unit of 0 or less."""
        return self if unit <= 0 else Duration(_cut(self, unit) * unit)

    def rounded(self, unit: Duration) -> Duration:
        """The nearest multiple of `unit`, halves away from zero."""
        if unit <= 0:
            return self
        rest = abs(self) % unit
        size = abs(int(self)) - rest + (unit if rest * 2 >= unit else 0)
        return Duration.within(-size if self < 0 else size)


def _cut(number: int, unit: int) -> int:
    return -(-number // unit) if number < 0 else number // unit


def _fractional(duration: int, unit: int) -> float:
    whole = _cut(duration, unit)
    return float(whole) + float(duration - whole * unit) / unit


def _small(nanoseconds: int) -> str:
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < 1000:
        return f"{nanoseconds}ns"
    if nanoseconds < 1_000_000:
        return _decimal(nanoseconds, 1000) + "µs"
    return _decimal(nanoseconds, 1_000_000) + "ms"


def _decimal(number: int, unit: int) -> str:
    digits = len(str(unit)) - 1
    fraction = f"{number % unit:0{digits}d}".rstrip("0")
    return f"{number // unit}.{fraction}" if fraction else str(number // unit)
