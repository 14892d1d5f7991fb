"""The values a template works with, and what Go says about their types.

bool, int, float, complex and bytes are Go's bool, int, float64, complex128 and string; None is
nil; the rest says by itself what it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.hints import name_hint
from longshore.plan.gotemplate.quoting import go_bytes
from longshore.plan.gotime import GoTime
from longshore.plan.gotime.kinds import ByteSlice, TypedInt
from longshore.plan.gotime.zone import Zone

Plain = str | bool | int | GoTime
"""What a field may hold."""


class Root(Struct, frozen=True, eq=False):
    """The data a template is about: fields by name."""

    fields: Mapping[str, Plain]

    def field(self, name: str) -> Value:
        """The value of a field; raises InvalidValue that names the nearest ones."""
        if name not in self.fields:
            raise no_such_field(name, self.fields)
        value = self.fields[name]
        return go_bytes(value) if isinstance(value, str) else value


Value = None | bool | int | float | complex | bytes | GoTime | Zone | Root


def no_such_field(name: str, fields: Mapping[str, object]) -> InvalidValue:
    """The fault of a template that names a field there is none of."""
    return InvalidValue(f"there is no field .{name}", hint=name_hint(name, fields, "fields"))


def type_name(value: Value) -> str:
    """The Go type, as ``%T`` shows it."""
    if value is None:
        return "<nil>"
    if isinstance(value, TypedInt | ByteSlice):
        return value.go_type
    for kind, name in _NAMES:
        if isinstance(value, kind):
            return name
    raise AssertionError(f"no Go type for {type(value)}")


_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float64"),
    (complex, "complex128"),
    (bytes, "string"),
    (GoTime, "time.Time"),
    (Zone, "*time.Location"),
    (Root, "struct"),
)


def is_text(value: Value) -> bool:
    """Whether this is a Go string (a ``[]byte`` is not)."""
    return isinstance(value, bytes) and not isinstance(value, ByteSlice)


def is_true(value: Value) -> bool:
    """Go's truth: not zero and not empty. Times are always true."""
    if isinstance(value, GoTime | Zone | Root):
        return True
    return bool(value)
