"""What a key's value may look like: how it is decoded, described, and written as JSON Schema.

A shape decodes a node to a value, or adds a problem and gives None. It never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from longshore.config import codes
from longshore.config.node import Mapping, Node, Scalar, Sequence
from longshore.config.report import Report
from longshore.config.words import split_command
from longshore.errors import InvalidValue

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Schema = dict[str, Any]

MAX_COMMAND = 128 * 1024
"""Linux passes no longer argument to a program (MAX_ARG_STRLEN, execve(2))."""
_SHELL_QUOTING = re.compile(r"['\"\\\0]")
_BLANKS = re.compile(r"[ \t\n]+")

TEXT: Schema = {"type": ["string", "number", "boolean"]}
"""Of any scalar, whose source text counts (F-16)."""


class Shape(Protocol[T_co]):
    """One kind of value; `what` completes the sentence ``this must be …``."""

    @property
    def what(self) -> str: ...

    def decode(self, node: Node, report: Report) -> T_co | None:
        """The value, or None when a problem was added. `node` is never null."""
        ...

    def schema(self) -> Schema:
        """JSON Schema (draft 2020-12) of what `decode` takes."""
        ...


def kind_of(node: Node) -> str:
    """What a node is, in the words of a message."""
    if isinstance(node, Mapping):
        return "a map"
    if isinstance(node, Sequence):
        return "a list"
    return "nothing" if node.is_null else f'"{node.text[:40]}"'


def wrong_type(shape: str, node: Node, report: Report, hint: str | None = None) -> None:
    """Add: this is not what it must be."""
    report.error(codes.WRONG_TYPE, node, f"this must be {shape}, not {kind_of(node)}", hint)


class Text(Struct, frozen=True):
    """A scalar's source text, whatever YAML would make of it (F-16)."""

    what: str = "a text"

    def decode(self, node: Node, report: Report) -> str | None:
        if isinstance(node, Scalar):
            return "" if node.is_null else node.text
        wrong_type(self.what, node, report)
        return None

    def schema(self) -> Schema:
        return dict(TEXT)


class Name(Text, frozen=True):
    """A text that names something; an empty one is as good as none, as to Go."""


def says_nothing(node: Node, shape: Shape[Any]) -> bool:
    """Whether this is as good as no value."""
    one = shape.item if isinstance(shape, Items) and shape.lone else shape
    return isinstance(node, Scalar) and (node.is_null or (not node.text and isinstance(one, Name)))


class Flag(Struct, frozen=True):
    """Yes or no, in any of YAML 1.1's spellings, quoted or not (Q-33)."""

    what: str = "true or false"

    def decode(self, node: Node, report: Report) -> bool | None:
        if isinstance(node, Scalar) and node.text.lower() in _FLAGS:
            return _FLAGS[node.text.lower()]
        wrong_type(self.what, node, report)
        return None

    def schema(self) -> Schema:
        pattern = "|".join(f"[{word[0]}{word[0].upper()}]{word[1:]}" for word in _FLAGS)
        return {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": f"^({pattern})$"}]}


_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Number(Struct, frozen=True):
    """A whole number."""

    what: str = "a whole number"

    def decode(self, node: Node, report: Report) -> int | None:
        if isinstance(node, Scalar) and re.fullmatch(r"[0-9]{1,18}", node.text):
            return int(node.text)
        wrong_type(self.what, node, report)
        return None

    def schema(self) -> Schema:
        return {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^[0-9]{1,18}$"},
            ]
        }


class Size(Struct, frozen=True):
    """A size in bytes with an optional unit, as compose writes it (``64m``)."""

    what: str = 'a size such as "64m" or "1gb"'

    def decode(self, node: Node, report: Report) -> int | None:
        found = _SIZE.fullmatch(node.text.strip().lower()) if isinstance(node, Scalar) else None
        if not found:
            wrong_type(self.what, node, report)
            return None
        size = int(float(found[1]) * 1024 ** "bkmgt".index(found[2] or "b"))
        if size > _MAX_BYTES:
            report.error(codes.WRONG_VALUE, node, f"{found[0]} is more than an engine can count")
            return None
        return size

    def schema(self) -> Schema:
        return {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {
                    "type": "string",
                    "pattern": r"^\s*[0-9]{1,15}(\.[0-9]+)?\s*([bkmgtBKMGT][bB]?)?\s*$",
                },
            ]
        }


_MAX_BYTES = 2**63 - 1
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(?:([bkmgt])b?)?")


class Command(Struct, frozen=True):
    """A command line, split as a shell splits words (T-9, T-10), or a list of words (T-11)."""

    what: str = "a command (a text, or a list of words)"

    def decode(self, node: Node, report: Report) -> tuple[str, ...] | None:
        if isinstance(node, Sequence):
            return Items(Text("a word of the command")).decode(node, report)
        if not isinstance(node, Scalar):
            wrong_type(self.what, node, report, "quote a command that begins with { or contains : ")
            return None
        text = "" if node.is_null else node.text
        if len(text) > MAX_COMMAND:
            hint = "write the text into a script of the image"
            report.error(
                codes.WRONG_VALUE, node, f"this command has {len(text):,} characters", hint
            )
            return None
        if not _SHELL_QUOTING.search(text):
            return tuple(word for word in _BLANKS.split(text) if word)
        try:
            return split_command(text)
        except InvalidValue as fault:
            report.error(codes.QUOTE, node, fault.message, fault.hint)
            return None

    def schema(self) -> Schema:
        return {"anyOf": [dict(TEXT), {"type": "array", "items": dict(TEXT)}]}


class Items(Struct, Generic[T], frozen=True):
    """A list; with `lone`, one item may stand without the list around it."""

    item: Shape[T]
    lone: bool = False

    @property
    def what(self) -> str:
        return f"{self.item.what}, or a list of such" if self.lone else f"a list ({self.item.what})"

    def decode(self, node: Node, report: Report) -> tuple[T, ...] | None:
        if isinstance(node, Sequence):
            found = [self._item(item, report) for item in node.items]
            values = tuple(value for value in found if value is not None)
            return values if len(values) == len(found) else None
        if self.lone and isinstance(node, Scalar):
            value = self.item.decode(node, report)
            return None if value is None else (value,)
        hint = f"- {node.text}" if isinstance(node, Scalar) else "- ..."
        wrong_type(self.what, node, report, f'write each item in a line of its own: "{hint[:60]}"')
        return None

    def _item(self, node: Node, report: Report) -> T | None:
        if says_nothing(node, self.item):
            empty_item(node, report)
            return None
        return self.item.decode(node, report)

    def schema(self) -> Schema:
        many: Schema = {"type": "array", "items": self.item.schema()}
        return {"anyOf": [self.item.schema(), many]} if self.lone else many


def empty_item(node: Node, report: Report) -> None:
    """Add: a list has an item of nothing."""
    report.error(codes.EMPTY_VALUE, node, "this list item is empty", "complete or remove it")


class Checked(Struct, Generic[T], frozen=True):
    """A text that `parse` turns into a value; its InvalidValue is told at the place."""

    what: str
    parse: Callable[[str], T]

    def decode(self, node: Node, report: Report) -> T | None:
        text = Text(self.what).decode(node, report)
        if text is None:
            return None
        try:
            return self.parse(text)
        except InvalidValue as fault:
            report.error(codes.WRONG_VALUE, node, fault.message, fault.hint)
            return None

    def schema(self) -> Schema:
        return dict(TEXT)


class Anything(Struct, frozen=True):
    """A value nobody looks at."""

    what: str = "anything"

    def decode(self, node: Node, report: Report) -> Node | None:
        return node

    def schema(self) -> Schema:
        return {}
