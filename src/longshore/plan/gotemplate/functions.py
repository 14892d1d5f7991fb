"""Go's built-in template functions (P-16: there are no others). ``and`` and ``or``, which stop
early, are the evaluator's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from longshore.errors import InvalidValue
from longshore.plan.gotemplate import compare, escape
from longshore.plan.gotemplate.printf import shown, sprint, sprintf, sprintln
from longshore.plan.gotemplate.values import Value, is_text, is_true, type_name
from longshore.plan.gotime.kinds import Uint8


class Builtin(Struct, frozen=True):
    """Takes `least` arguments, and more if `more`; the first must be a text if `text_first`."""

    call: Callable[..., Value]
    least: int
    more: bool = True
    text_first: bool = False


def _length(item: Value) -> int:
    if isinstance(item, bytes):
        return len(item)
    raise InvalidValue(f"a {type_name(item)} has no length")


def _index(item: Value, *indexes: Value) -> Value:
    if item is None:
        raise InvalidValue("nil has no elements")
    for index in indexes:
        if not isinstance(item, bytes):
            raise InvalidValue(f"a {type_name(item)} has no elements")
        at = _position(index, len(item) - 1)
        item = Uint8(item[at])
    return item


def _slice(item: Value, *indexes: Value) -> Value:
    if not isinstance(item, bytes):
        raise InvalidValue(f"a {type_name(item)} cannot be sliced")
    if len(indexes) > (2 if is_text(item) else 3):
        raise InvalidValue("slice takes a text, a start and an end")
    bounds = [_position(index, len(item)) for index in indexes]
    if bounds != sorted(bounds):
        raise InvalidValue(f"slice from {bounds[0]} to {bounds[1]} runs backwards")
    start, end, *_ = [*bounds, len(item)] if len(bounds) == 1 else bounds or [0, len(item)]
    return type(item)(item[start:end])


def _position(index: Value, last: int) -> int:
    if isinstance(index, bool) or not isinstance(index, int):
        raise InvalidValue(f"an index must be an integer, not {type_name(index)}")
    if not 0 <= index <= last:
        raise InvalidValue(f"index {int(index)} is out of range, the last one is {last}")
    return index


def _joined(values: tuple[Value, ...]) -> bytes:
    if len(values) == 1:
        return shown(values[0])
    # Go turns nil into this text first, and puts no blank beside a text.
    return sprint(*(b"<no value>" if value is None else value for value in values))


FUNCTIONS: Final[Mapping[str, Builtin]] = {
    "and": Builtin(lambda first, *_: first, 1),
    "or": Builtin(lambda first, *_: first, 1),
    "not": Builtin(lambda value: not is_true(value), 1, more=False),
    "len": Builtin(_length, 1, more=False),
    "index": Builtin(_index, 1),
    "slice": Builtin(_slice, 1),
    "print": Builtin(sprint, 0),
    "printf": Builtin(sprintf, 1, text_first=True),
    "println": Builtin(sprintln, 0),
    "html": Builtin(lambda *values: escape.html(_joined(values)), 0),
    "js": Builtin(lambda *values: escape.js(_joined(values)), 0),
    "urlquery": Builtin(lambda *values: escape.urlquery(_joined(values)), 0),
    "eq": Builtin(compare.equal, 1),
    "ne": Builtin(compare.not_equal, 2, more=False),
    "lt": Builtin(compare.less, 2, more=False),
    "le": Builtin(compare.less_or_equal, 2, more=False),
    "gt": Builtin(compare.greater, 2, more=False),
    "ge": Builtin(compare.greater_or_equal, 2, more=False),
}
