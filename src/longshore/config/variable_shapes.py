"""Variables as maps and lists name them (S-20, S-22)."""

from __future__ import annotations

import re

from msgspec import Struct

from longshore.config import codes
from longshore.config.model import Pairs
from longshore.config.node import Mapping, Node, Scalar, Sequence
from longshore.config.report import Report
from longshore.config.shapes import TEXT, Schema, empty_item, wrong_type


class Variables(Struct, frozen=True):
    """``KEY: value`` or a list of ``KEY=value``; without a value it is our own's (S-20)."""

    what: str = 'a map ("KEY: value") or a list ("- KEY=value")'

    def decode(self, node: Node, report: Report) -> Pairs | None:
        if isinstance(node, Mapping):
            found = [self._entry(key, value, report) for key, value in node.pairs]
        elif isinstance(node, Sequence):
            found = [self._item(item, report) for item in node.items]
        else:
            wrong_type(self.what, node, report)
            return None
        pairs = tuple(dict(pair for pair in found if pair is not None).items())
        return pairs if None not in found else None

    def _entry(self, key: Scalar, value: Node, report: Report) -> tuple[str, str | None] | None:
        if not isinstance(value, Scalar):
            wrong_type(f'the text of variable "{key.text[:40]}"', value, report, "quote it")
            return None
        name, text = (None if node.is_null else node.text for node in (key, value))
        return _variable(name or "", text, key, report)

    def _item(self, item: Node, report: Report) -> tuple[str, str | None] | None:
        if not isinstance(item, Scalar):
            wrong_type('"KEY=value"', item, report, 'in a list, write "- KEY=value" with "="')
            return None
        if item.is_null:
            empty_item(item, report)
            return None
        name, equals, value = item.text.partition("=")
        return _variable(_bare(name, item, report), value if equals else None, item, report)

    def schema(self) -> Schema:
        value: Schema = {"type": ["string", "number", "boolean", "null"]}
        return {
            "anyOf": [
                {"type": "object", "additionalProperties": value},
                {"type": "array", "items": dict(TEXT)},
            ]
        }


def _bare(name: str, at: Scalar, report: Report) -> str:
    """The name without blanks around it, as in env files (S-22)."""
    bare = name.strip()
    if bare and bare != name:
        report.warning(
            codes.VARIABLE_NAME,
            at,
            f'the blanks around "{bare[:40]}" are no part of the name',
            f'write "{bare[:40]}=" without blanks around the name; those behind "=" are kept',
        )
    return bare


def _variable(
    name: str, value: str | None, at: Scalar, report: Report
) -> tuple[str, str | None] | None:
    if not name.strip() or "=" in name:
        report.error(
            codes.VARIABLE_NAME,
            at,
            f'"{name[:40]}" cannot be the name of a variable',
            "a name is not empty and contains no =",
        )
        return None
    if value is None and re.fullmatch(r"[A-Za-z0-9_]+:.*", name, re.DOTALL):
        report.error(codes.VARIABLE_NAME, at, 'this must be "KEY=value"', 'write "=", not ":"')
        return None
    return name, value
