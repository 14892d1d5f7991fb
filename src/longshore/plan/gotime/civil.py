"""Days and dates of the proleptic Gregorian calendar, for every year Go can hold.

Python's own dates end at the years 1 and 9999. Days are counted from 1970-01-01. The
arithmetic runs in eras of 400 years that begin on a 1st of March, so that the leap day is last.
"""

from __future__ import annotations

from typing import Final

_DAYS_OF_ERA: Final = 146_097
_MARCH_0000: Final = -719_468


def days_of(year: int, month: int, day: int) -> int:
    """The day number of a date; months and days out of their range carry over, as in Go."""
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    years = year - (month < 3)
    era, year_of_era = divmod(years, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_OF_ERA + day_of_era + _MARCH_0000 + day - 1


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day number."""
    era, day_of_era = divmod(days - _MARCH_0000, _DAYS_OF_ERA)
    leap_days = day_of_era // 1460 - day_of_era // 36_524 + day_of_era // 146_096
    year_of_era = (day_of_era - leap_days) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month < 3)
    return year, month, day_of_year - (153 * shifted + 2) // 5 + 1
