"""``eq``, ``ne``, ``lt``, ``le``, ``gt`` and ``ge``: Go compares only what is of one kind."""

from __future__ import annotations

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.values import Root, Value, type_name
from longshore.plan.gotime import GoTime
from longshore.plan.gotime.kinds import ByteSlice
from longshore.plan.gotime.zone import Zone


def equal(first: Value, *others: Value) -> bool:
    """Whether `first` equals one of the others; raises InvalidValue for kinds that do not mix."""
    if not others:
        raise InvalidValue("eq needs something to compare with", hint='write eq .Branch "master"')
    return any(_same(first, other) for other in others)


def not_equal(first: Value, second: Value) -> bool:
    return not equal(first, second)


def less(first: Value, second: Value) -> bool:
    """Whether `first` comes before; texts compare by bytes."""
    kinds = _ordered_kind(first), _ordered_kind(second)
    if kinds[0] != kinds[1]:
        raise _mixed(first, second)
    return bool(first < second)  # type: ignore[operator]  # one ordered kind, as just checked


def less_or_equal(first: Value, second: Value) -> bool:
    return less(first, second) or equal(first, second)


def greater(first: Value, second: Value) -> bool:
    return not less_or_equal(first, second)


def greater_or_equal(first: Value, second: Value) -> bool:
    return not less(first, second)


def _same(first: Value, other: Value) -> bool:
    if first is None or other is None:
        return first is other
    kinds = _kind(first), _kind(other)
    if kinds[0] != kinds[1]:
        raise _mixed(first, other)
    for value in (first, other):
        if isinstance(value, ByteSlice):
            raise InvalidValue(f"values of type {type_name(value)} cannot be compared")
    return first == other


def _kind(value: Value) -> str:
    """Go's basic kinds; signed and unsigned integers do mix, everything else does not."""
    if isinstance(value, Zone):
        return "pointer"
    if isinstance(value, GoTime | Root | ByteSlice):
        return "other"
    return _BASIC.get(type(value), "integer")


_BASIC: dict[type, str] = {bool: "boolean", float: "float", complex: "complex", bytes: "text"}


def _ordered_kind(value: Value) -> str:
    kind = "nil" if value is None else _kind(value)
    if kind not in ("integer", "float", "text"):
        raise InvalidValue(
            f"values of type {type_name(value)} have no order",
            hint="numbers and texts have one; times have methods Before and After",
        )
    return kind


def _mixed(first: Value, second: Value) -> InvalidValue:
    return InvalidValue(f"{type_name(first)} and {type_name(second)} cannot be compared")
