"""Typed reading of untrusted JSON documents; every deviation raises InvalidValue."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

from longshore.errors import InvalidValue

T = TypeVar("T")


class Fields:
    """A JSON object and the path to it (``manifest.config``), for messages that find the place."""

    __slots__ = ("_path", "_values")

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong(path, "an object", value)
        self._values: Mapping[str, object] = value
        self._path = path

    @classmethod
    def load(cls, content: bytes, what: str) -> Fields:
        """The JSON object in `content`, called `what` in messages."""
        try:
            value: object = json.loads(content.decode())
        except (ValueError, RecursionError) as exc:
            raise InvalidValue(f"the {what} is not JSON: {exc}") from exc
        return cls(value, what)

    def has(self, key: str) -> bool:
        """Whether the key is present and not null."""
        return self._values.get(key) is not None

    def text(self, key: str) -> str:
        """A required text."""
        value = self._values.get(key)
        if not isinstance(value, str):
            raise wrong(self._at(key), "a text", value)
        return value

    def optional_text(self, key: str) -> str:
        """A text, or "" when the key is absent."""
        return self.text(key) if self.has(key) else ""

    def size(self, key: str) -> int:
        """A required whole number, not negative."""
        value = self._values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise wrong(self._at(key), "a whole number not below 0", value)
        return value

    def child(self, key: str) -> Fields:
        """A required object."""
        return Fields(self._values.get(key), self._at(key))

    def objects(self, key: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
        """A required list of objects, each read by `read`."""
        values = self._list(key)
        return tuple(read(Fields(v, f"{self._at(key)}[{i}]")) for i, v in enumerate(values))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; () when the key is absent."""
        values = self._list(key) if self.has(key) else []
        return tuple(_text(v, f"{self._at(key)}[{i}]") for i, v in enumerate(values))

    def pairs(self, key: str) -> Mapping[str, str]:
        """An object of texts; empty when the key is absent."""
        if not self.has(key):
            return {}
        values = self.child(key)._values
        return {name: _text(v, f"{self._at(key)}.{name}") for name, v in values.items()}

    def _list(self, key: str) -> list[object]:
        value = self._values.get(key)
        if not isinstance(value, list):
            raise wrong(self._at(key), "a list", value)
        return value

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}"


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise wrong(path, "a text", value)
    return value


def wrong(path: str, expected: str, value: object) -> InvalidValue:
    """The error for a value of the wrong kind; tells its kind only, the value may be long."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    found = "missing" if value is None else kinds.get(type(value), "a number")
    return InvalidValue(f"{path} should be {expected}, but is {found}")
