"""The typed numbers and bytes that Go's time methods give and templates tell apart.

A Go ``int`` is a Python int. The other integer types are subclasses of it that know their
name, because Go refuses to mix them and ``%T`` shows them.
"""

from __future__ import annotations

from typing import ClassVar, Final


class TypedInt(int):
    """An integer of a Go type other than ``int``."""

    go_type: ClassVar[str]
    __slots__ = ()


class Int64(TypedInt):
    """Go's ``int64``."""

    go_type = "int64"
    __slots__ = ()


class Uint8(TypedInt):
    """Go's ``uint8``: a byte of a string."""

    go_type = "uint8"
    __slots__ = ()


class Month(TypedInt):
    """Go's ``time.Month``: 1 is January."""

    go_type = "time.Month"
    __slots__ = ()

    def text(self) -> str:
        """The English name; Go's form for what is no month."""
        return MONTHS[self - 1] if 1 <= self <= 12 else f"%!Month({self & _UINT64})"


class Weekday(TypedInt):
    """Go's ``time.Weekday``: 0 is Sunday."""

    go_type = "time.Weekday"
    __slots__ = ()

    def text(self) -> str:
        """The English name; Go's form for what is no day."""
        return WEEKDAYS[self] if 0 <= self <= 6 else f"%!Weekday({self & _UINT64})"


class ByteSlice(bytes):
    """Go's ``[]byte``; a plain bytes object is a Go string."""

    go_type: ClassVar[str] = "[]uint8"
    __slots__ = ()


_UINT64: Final = (1 << 64) - 1

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS: Final = (
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
)
