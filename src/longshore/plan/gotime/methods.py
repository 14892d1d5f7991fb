"""The methods a template may call on times and on what their methods give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from longshore.errors import InvalidValue
from longshore.plan.gotime.duration import Duration
from longshore.plan.gotime.kinds import ByteSlice, Int64, Month, Weekday
from longshore.plan.gotime.value import GoTime
from longshore.plan.gotime.zone import LOCAL_ZONE, UTC_ZONE, Zone

GoValue = bool | int | float | bytes | GoTime | Zone
"""What a method may give; bytes are a Go string, `ByteSlice` a ``[]byte``."""


class Method(Struct, frozen=True):
    """`call` takes the receiver and arguments that have exactly the Go types of `parameters`."""

    parameters: tuple[str, ...]
    call: Callable[..., GoValue]


def method_of(receiver: GoTime | Zone | Duration | Month | Weekday, name: str) -> Method:
    """The method of that name; raises InvalidValue that lists the known ones."""
    type_name, methods = _methods(receiver)
    if name in methods:
        return methods[name]
    known = "it has " + ", ".join(sorted(methods))
    if isinstance(receiver, GoTime) and name in _SEVERAL:
        raise InvalidValue(
            f"method {name} of {type_name} gives several values, a template takes one",
            hint=known,
        )
    raise InvalidValue(f"{type_name} has no method {name}", hint=known)


def _methods(
    receiver: GoTime | Zone | Duration | Month | Weekday,
) -> tuple[str, Mapping[str, Method]]:
    if isinstance(receiver, GoTime):
        return "time.Time", TIME_METHODS
    if isinstance(receiver, Zone):
        return "*time.Location", _ZONE_METHODS
    if isinstance(receiver, Duration):
        return receiver.go_type, _DURATION_METHODS
    return receiver.go_type, _NAME_METHODS


def _plain(call: Callable[..., GoValue]) -> Method:
    return Method((), call)


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _layout(time: GoTime, layout: bytes) -> bytes:
    return _text(time.format(layout.decode("utf-8", "surrogateescape")))


def _rfc3339(time: GoTime) -> bytes:
    """Go's text and JSON forms; both refuse years that have not four digits."""
    if not 0 <= time.clock.year <= 9999:
        raise InvalidValue("a year outside 0 to 9999 has no RFC 3339 form")
    return _text(time.format("2006-01-02T15:04:05.999999999Z07:00"))


_SEVERAL: Final = frozenset({"Date", "Clock", "ISOWeek", "Zone", "ZoneBounds"})

TIME_METHODS: Final[Mapping[str, Method]] = {
    "Format": Method(("string",), _layout),
    "AppendFormat": Method(
        ("[]uint8", "string"), lambda time, head, layout: ByteSlice(head + _layout(time, layout))
    ),
    "String": _plain(lambda time: _text(time.text())),
    "GoString": _plain(lambda time: _text(time.go_text())),
    "MarshalText": _plain(lambda time: ByteSlice(_rfc3339(time))),
    "MarshalJSON": _plain(lambda time: ByteSlice(b'"' + _rfc3339(time) + b'"')),
    "Unix": _plain(lambda time: Int64(time.seconds)),
    "UnixMilli": _plain(lambda time: Int64(time.nanoseconds // 1_000_000)),
    "UnixMicro": _plain(lambda time: Int64(time.nanoseconds // 1000)),
    "UnixNano": _plain(lambda time: _wrapped(time.nanoseconds)),
    "UTC": _plain(lambda time: time.shown_in(UTC_ZONE)),
    "Local": _plain(lambda time: time.shown_in(LOCAL_ZONE)),
    "In": Method(("*time.Location",), GoTime.shown_in),
    "Location": _plain(lambda time: time.zone),
    "Year": _plain(lambda time: time.clock.year),
    "Month": _plain(lambda time: time.clock.month),
    "Day": _plain(lambda time: time.clock.day),
    "Weekday": _plain(lambda time: time.clock.weekday),
    "YearDay": _plain(lambda time: time.clock.day_of_year),
    "Hour": _plain(lambda time: time.clock.hour),
    "Minute": _plain(lambda time: time.clock.minute),
    "Second": _plain(lambda time: time.clock.second),
    "Nanosecond": _plain(lambda time: time.nanosecond),
    "IsZero": _plain(lambda time: time.is_zero),
    "IsDST": _plain(lambda time: time.zone.summer_at(time.seconds)),
    "Before": Method(("time.Time",), lambda time, other: time.nanoseconds < other.nanoseconds),
    "After": Method(("time.Time",), lambda time, other: time.nanoseconds > other.nanoseconds),
    "Equal": Method(("time.Time",), lambda time, other: time.nanoseconds == other.nanoseconds),
    "Add": Method(("time.Duration",), GoTime.plus),
    "AddDate": Method(("int", "int", "int"), GoTime.plus_date),
    "Sub": Method(("time.Time",), GoTime.since),
    "Truncate": Method(("time.Duration",), GoTime.truncated),
    "Round": Method(("time.Duration",), GoTime.rounded),
}

_DURATION_METHODS: Final[Mapping[str, Method]] = {
    "String": _plain(lambda duration: _text(duration.text())),
    "Hours": _plain(Duration.hours),
    "Minutes": _plain(Duration.minutes),
    "Seconds": _plain(Duration.seconds),
    "Milliseconds": _plain(lambda duration: duration.whole(1_000_000)),
    "Microseconds": _plain(lambda duration: duration.whole(1000)),
    "Nanoseconds": _plain(lambda duration: duration.whole(1)),
    "Round": Method(("time.Duration",), Duration.rounded),
    "Truncate": Method(("time.Duration",), Duration.truncated),
    "Abs": _plain(lambda duration: Duration.within(abs(duration))),
}

_NAME_METHODS: Final[Mapping[str, Method]] = {
    "String": _plain(lambda named: _text(named.text())),
}

_ZONE_METHODS: Final[Mapping[str, Method]] = {
    "String": _plain(lambda zone: _text(zone.name)),
}


def _wrapped(nanoseconds: int) -> Int64:
    """UnixNano outside the years 1678 to 2262 overflows in Go as it does here."""
    return Int64((nanoseconds + (1 << 63)) % (1 << 64) - (1 << 63))
