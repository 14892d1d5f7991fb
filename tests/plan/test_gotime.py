"""Times are shown and moved as Go does it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import InvalidValue
from longshore.plan.gotime import GoTime
from longshore.plan.gotime.civil import date_of, days_of
from longshore.plan.gotime.duration import Duration
from longshore.plan.gotime.kinds import Month, Weekday
from longshore.plan.gotime.methods import method_of
from longshore.plan.gotime.zone import FixedZone, Zone, zone_of

ORACLE = json.loads((Path(__file__).parent / "data" / "layouts.json").read_text())
LAYOUTS: dict[str, list[str]] = ORACLE["results"]


def _time(asked: dict[str, Any]) -> GoTime:
    zone: Zone
    if asked["fixed"]:
        zone = FixedZone(asked["zone"], asked["offset"])
    else:
        zone = zone_of(UTC if asked["zone"] == "UTC" else ZoneInfo(asked["zone"]))
    return GoTime(asked["seconds"], asked["nanosecond"], zone)


TIMES = [_time(asked) for asked in ORACLE["times"]]


def test_go_was_asked_enough() -> None:
    assert len(LAYOUTS) >= 100
    assert len(TIMES) >= 10


def test_every_layout_shows_every_time_as_go_does() -> None:
    different = {
        (layout, asked): (expected, result)
        for layout, all_expected in LAYOUTS.items()
        for asked, (time, expected) in enumerate(zip(TIMES, all_expected, strict=True))
        if (result := time.format(layout)) != expected
    }
    assert different == {}


@pytest.mark.parametrize("move", ORACLE["moves"], ids=lambda move: str(move["by"]))
def test_times_move_as_in_go(move: dict[str, Any]) -> None:
    by = move["by"]
    results = []
    for time in TIMES:
        cut = time.truncated(by["Unit"])
        results += [
            time.plus_date(by["Years"], by["Months"], by["Days"]).text(),
            cut.text(),
            time.rounded(by["Unit"]).text(),
            time.since(cut).text(),
        ]
    assert results == move["results"]


@given(st.dates())
def test_civil_days_agree_with_python(date: datetime) -> None:
    days = date.toordinal() - 719_163
    assert days_of(date.year, date.month, date.day) == days
    assert date_of(days) == (date.year, date.month, date.day)


@given(st.integers(-(10**12), 10**12))
def test_a_day_number_survives_the_calendar(days: int) -> None:
    assert days_of(*date_of(days)) == days


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_datetime_keeps_its_instant(moment: datetime) -> None:
    text = moment.strftime("%m-%dT%H:%M:%S.%f")
    assert GoTime.of(moment).format("2006-01-02T15:04:05.000000") == f"{moment.year:04d}-{text}"


def test_zones_of_datetimes_become_go_locations() -> None:
    moment = datetime(2024, 7, 1, 12, tzinfo=UTC)
    shown = [
        moment,
        moment.replace(tzinfo=None),
        moment.astimezone(timezone(timedelta(hours=2))),
        moment.astimezone(timezone(timedelta(hours=-5), "EST")),
        moment.astimezone(ZoneInfo("Europe/Berlin")),
        moment.astimezone(ZoneInfo("UTC")),
    ]
    assert [GoTime.of(each).text() for each in shown] == [
        "2024-07-01 12:00:00 +0000 UTC",
        "2024-07-01 12:00:00 +0000 UTC",
        "2024-07-01 14:00:00 +0200 +0200",
        "2024-07-01 07:00:00 -0500 EST",
        "2024-07-01 14:00:00 +0200 CEST",
        "2024-07-01 12:00:00 +0000 UTC",
    ]
    assert len({GoTime.of(each).seconds for each in shown}) == 1


def test_local_is_the_zone_of_the_machine() -> None:
    local = method_of(TIMES[0], "Local").call(TIMES[0])
    assert isinstance(local, GoTime)
    assert local.zone.name == "Local"
    here = datetime.fromtimestamp(local.seconds, UTC).astimezone().utcoffset()
    assert timedelta(seconds=local.clock.offset) == here


def test_an_unknown_method_is_told_with_the_known_ones() -> None:
    with pytest.raises(InvalidValue, match=r"time\.Time has no method Foo") as caught:
        method_of(TIMES[0], "Foo")
    assert "Format" in str(caught.value.hint)


def test_durations_stop_at_the_ends_of_64_bits() -> None:
    far = TIMES[0].plus_date(1000, 0, 0)
    assert far.since(TIMES[0]) == (1 << 63) - 1
    assert TIMES[0].since(far) == -(1 << 63)
    assert Duration(-(1 << 63)).text() == "-2562047h47m16.854775808s"


def test_numbers_that_are_no_months_or_days_are_named_so() -> None:
    assert Month(13).text() == "%!Month(13)"
    assert Weekday(7).text() == "%!Weekday(7)"
