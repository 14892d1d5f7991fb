"""Arguments of methods: Go converts constants only, and never one type into another."""

from __future__ import annotations

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.nodes import Bool, Nil, Number, String
from longshore.plan.gotemplate.values import Value, type_name
from longshore.plan.gotime.duration import Duration
from longshore.plan.gotime.kinds import ByteSlice

_WORDS = {
    "string": "a text",
    "int": "an int",
    "time.Duration": "a duration in nanoseconds",
    "time.Time": "a time",
    "*time.Location": "a location",
    "[]uint8": "a list of bytes",
}


def check_type(value: Value, parameter: str) -> Value:
    """The value, which must be of exactly the Go type `parameter`; raises InvalidValue."""
    if type_name(value) != parameter:
        raise InvalidValue(f"expected {_WORDS[parameter]}, not a value of type {type_name(value)}")
    return value


def constant_for(constant: Nil | Bool | Number | String, parameter: str) -> Value:
    """A literal as the Go type `parameter`; raises InvalidValue."""
    if isinstance(constant, Nil):
        if parameter == "[]uint8":
            return ByteSlice()
    elif isinstance(constant, String):
        if parameter == "string":
            return constant.value
    elif isinstance(constant, Number) and constant.value.integer is not None:
        if parameter == "int":
            return constant.value.integer
        if parameter == "time.Duration":
            return Duration(constant.value.integer)
    raise InvalidValue(f"expected {_WORDS[parameter]}, not {_shown(constant)}")


def _shown(constant: Nil | Bool | Number | String) -> str:
    if isinstance(constant, Number):
        return constant.value.text
    if isinstance(constant, String):
        return "a text"
    return "nil" if isinstance(constant, Nil) else str(constant.value).lower()
