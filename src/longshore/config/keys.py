"""The declaration of a key, and reading a map against a table of them.

One declaration drives everything: what is accepted, the JSON Schema (`longshore.config.schema`)
and the reference pages (`longshore.config.reference`).
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, Generic, TypeVar, cast

from msgspec import Struct

from longshore.config import codes
from longshore.config.by_hand import ByHand
from longshore.config.node import Mapping, Node, Scalar
from longshore.config.report import Report
from longshore.config.shapes import Anything, Shape, says_nothing
from longshore.config.suggest import nearest

T = TypeVar("T")


class Status(StrEnum):
    """What becomes of a key."""

    SUPPORTED = "supported"
    DEPRECATED = "deprecated"
    IGNORED = "ignored"


class Key(Struct, Generic[T], frozen=True, kw_only=True):
    """One key of a map.

    `description` is one sentence; `example` is YAML of the whole entry; `instead` is what to write
    in place of a deprecated key, and `by_hand` what is to be done where that is not all; `told`:
    whether something else is told of it there. `why` is the reason an ignored key is ignored.
    `rule` cites the specification, for whoever reads the declaration.
    `required` and `steps` (the types of steps a key belongs to) are for the schema and the pages.
    """

    name: str
    shape: Shape[T]
    description: str
    example: str
    rule: str
    default: str = ""
    status: Status = Status.SUPPORTED
    instead: str | None = None
    by_hand: ByHand = lambda _: None
    told: Callable[[Mapping], bool] = lambda _: False
    why: str | None = None
    required: bool = False
    steps: frozenset[str] = frozenset()
    null: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """What a map said, by key; a value that was wrong is written but has no value.

    `unknown` are the keys not told yet: where a needed key is missing, one of them is probably it.
    """

    node: Mapping
    written: Table[str, tuple[Scalar, Node]]
    values: Table[str, Any] = field(repr=False)
    unknown: dict[str, Scalar] = field(default_factory=dict)

    def get(self, key: Key[T]) -> T | None:
        """The value, or None when the key is absent or its value was wrong."""
        return cast("T | None", self.values.get(key.name))

    def or_else(self, key: Key[T], default: T) -> T:
        """The value, or `default`."""
        value = self.get(key)
        return default if value is None else value

    def __contains__(self, key: Key[Any]) -> bool:
        return key.name in self.written

    def at(self, key: Key[Any]) -> Node:
        """Where the value stands, or the map when the key is absent."""
        return self.written[key.name][1] if key.name in self.written else self.node

    def key_at(self, key: Key[Any]) -> Scalar:
        """Where the key itself stands; it must be written."""
        return self.written[key.name][0]

    def is_merged(self, key: Key[Any]) -> bool:
        """Whether it comes from another map: an alias stands for one further up (F-15)."""
        return self.key_at(key).place < self.node.place

    def missing(
        self,
        report: Report,
        code: str,
        message: str,
        hint: str,
        *keys: Key[Any],
        harmless: bool = False,
    ) -> None:
        """Add the error that one of `keys` is needed; at the unknown key that may be it.

        Where it may be another, it is never `harmless`.
        """
        names = [key.name for key in keys]
        for text, at in islice(self.unknown.items(), 20):
            meant = nearest(text, names)
            if meant:
                del self.unknown[text]
                report.error(code, at, f'{message}; did you mean "{meant}"?', hint)
                return
        report.error(code, self.node, message, hint, harmless=harmless)


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of one kind of map; `elsewhere` tells where misplaced keys belong, `file` which of
    the two files it is."""

    what: str
    keys: tuple[Key[Any], ...]
    elsewhere: Table[str, str] = field(default_factory=dict)
    file: str = "services"
    by_name: Table[str, Key[Any]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {key.name: key for key in self.keys})

    def read(self, node: Mapping, report: Report) -> Fields:
        """Decode every known key; ignored, deprecated and empty ones give warnings.

        `tell_unknown` must follow, once it is known which keys are missing.
        """
        unknown: dict[str, Scalar] = {}
        written: dict[str, tuple[Scalar, Node]] = {}
        values: dict[str, Any] = {}
        for name, value in node.pairs:
            key = self.by_name.get(name.text)
            if key is None:
                unknown[name.text] = name
                continue
            _warn(key, name, node, report)
            if says_nothing(value, key.shape) and not key.null:
                _empty(key, name, report)
                continue
            written[key.name] = (name, value)
            decoded = key.shape.decode(value, Report(report.problems, example_hint(key)))
            if decoded is not None:
                values[key.name] = decoded
        return Fields(node, written, values, unknown)

    def tell_unknown(self, fields: Fields, report: Report) -> None:
        """One warning for every unknown key that was not told otherwise (F-18)."""
        for name in fields.unknown.values():
            self._unknown(name, report)

    def _unknown(self, name: Scalar, report: Report) -> None:
        text = name.text[:60]
        if text.startswith("x-"):
            return
        if text in self.elsewhere:
            report.warning(
                codes.MISPLACED_KEY,
                name,
                f'key "{text}" has no effect in {self.what}',
                self.elsewhere[text],
            )
            return
        report.warning(
            codes.UNKNOWN_KEY,
            name,
            f'unknown key "{text}" in {self.what} is ignored'
            + report.did_you_mean(
                text, [key.name for key in self.keys if key.status is Status.SUPPORTED]
            ),
            f'"longshore schema {self.file}" describes the keys of {self.what}',
        )


def ignored(names: str, why: str, rule: str = "S-54") -> tuple[Key[Any], ...]:
    """Declarations of keys that are read, warned about once each, and dropped."""
    return tuple(
        Key(
            name=name,
            shape=Anything(),
            description=f"Read and ignored: {why}.",
            example=f"app:\n  build: .\n  {name}: ...",
            rule=rule,
            status=Status.IGNORED,
            why=why,
        )
        for name in names.split()
    )


def example_hint(key: Key[Any]) -> str:
    """The key in its example, as the hint for a value of the wrong shape."""
    lines = [line.strip().removeprefix("- ") for line in key.example.splitlines()]
    start = next((n for n, line in enumerate(lines) if line.startswith(f"{key.name}:")), 0)
    if lines[start].endswith(":") and start + 1 < len(lines):
        below = key.example.splitlines()[start + 1].strip()
        return f'write for example "{lines[start]}" and indented below it "{below}"'
    return f'write for example "{lines[start]}"'


def differs(old: str, new: str) -> Callable[[Mapping], bool]:
    """Whether both names of a key stand in a map with different texts."""

    def told(node: Mapping) -> bool:
        one, other = node.get(old), node.get(new)
        return isinstance(one, Scalar) and isinstance(other, Scalar) and one.text != other.text

    return told


def _warn(key: Key[Any], name: Scalar, node: Mapping, report: Report) -> None:
    if key.status is Status.IGNORED:
        report.warning(codes.IGNORED_KEY, name, f'key "{key.name}" is ignored', key.why)
    elif key.status is Status.DEPRECATED and key.instead and not key.told(node):
        how = key.by_hand(node) or '"longshore validate --fix" does it'
        hint = f'write "{key.instead}" instead; {how}'
        report.warning(codes.DEPRECATED_KEY, name, f'key "{key.name}" is deprecated', hint)


def _empty(key: Key[Any], name: Scalar, report: Report) -> None:
    if key.status is Status.SUPPORTED:
        report.warning(
            codes.EMPTY_VALUE,
            name,
            f'key "{key.name}" has no value and is ignored',
            "give it a value or remove it",
        )
