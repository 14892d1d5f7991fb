"""Moments as HTTP headers tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def http_date(text: str | None) -> datetime | None:
    """An HTTP-date (RFC 9110, 5.6.7) with its zone; None when it is none."""
    try:
        date = parsedate_to_datetime((text or "").strip())
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    # "-0000" parses as a date without zone; HTTP-dates are always in UTC.
    return date if date.tzinfo else date.replace(tzinfo=UTC)
