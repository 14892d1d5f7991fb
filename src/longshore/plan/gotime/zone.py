"""Go's ``time.Location``: what a clock on the wall shows at an instant."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

_DAY: Final = 86_400
_EARLIEST: Final = -62_135_596_800
_LATEST: Final = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Zone(ABC):
    """A location; `name` is what Go's Location.String gives."""

    name: str

    @abstractmethod
    def at(self, seconds: int) -> tuple[int, str]:
        """Offset from UTC in seconds and the abbreviation, at seconds since the epoch."""

    def summer_at(self, seconds: int) -> bool:
        """Whether daylight saving time is in force, at seconds since the epoch."""
        return False


@dataclass(frozen=True, slots=True)
class FixedZone(Zone):
    """One offset for ever. `name` is the abbreviation as well, and may be empty."""

    offset: int = 0

    def at(self, seconds: int) -> tuple[int, str]:
        return self.offset, self.name


@dataclass(frozen=True, slots=True)
class TableZone(Zone):
    """A zone with rules (zoneinfo); outside the years 1 to 9999 those years' ends hold."""

    rules: tzinfo = UTC

    def at(self, seconds: int) -> tuple[int, str]:
        local = self._local(seconds)
        offset = local.utcoffset() or timedelta()
        return int(offset.total_seconds()), local.tzname() or ""

    def summer_at(self, seconds: int) -> bool:
        return bool(self._local(seconds).dst())

    def _local(self, seconds: int) -> datetime:
        clamped = min(max(seconds, _EARLIEST + _DAY), _LATEST - _DAY)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=clamped)
        return moment.astimezone(self.rules)


@dataclass(frozen=True, slots=True)
class LocalZone(Zone):
    """The machine's own zone, looked up when asked."""

    def at(self, seconds: int) -> tuple[int, str]:
        moment = time.localtime(min(max(seconds, _EARLIEST), _LATEST))
        return moment.tm_gmtoff, moment.tm_zone

    def summer_at(self, seconds: int) -> bool:
        return time.localtime(min(max(seconds, _EARLIEST), _LATEST)).tm_isdst > 0


UTC_ZONE = FixedZone("UTC", 0)
LOCAL_ZONE = LocalZone("Local")


def zone_of(rules: tzinfo | None) -> Zone:
    """The Go location for a Python one; no zone at all counts as UTC."""
    if rules is None or rules is UTC:
        return UTC_ZONE
    key = getattr(rules, "key", None)
    if key is not None:
        return UTC_ZONE if key in ("UTC", "Etc/UTC") else TableZone(str(key), rules)
    if isinstance(rules, timezone):
        return _fixed(rules)
    return TableZone(str(rules), rules)


def _fixed(rules: timezone) -> FixedZone:
    """A bare offset has no name in Go; Python makes one up (``UTC+02:00``)."""
    offset = rules.utcoffset(None)
    made_up = timezone(offset).tzname(None)
    name = rules.tzname(None)
    return FixedZone("" if name == made_up else name, int(offset.total_seconds()))
