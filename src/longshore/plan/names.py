"""Names of steps: unique labels, generated where the file gives none (spec 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count

from longshore.config.check_steps import all_steps
from longshore.config.model import PushEntry, RunEntry, StepEntry

_LONGEST = 60
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class StepNames:
    """Hands out names; those of the file are reserved, so that no other step takes them."""

    def __init__(self, entries: Iterable[StepEntry]) -> None:
        written = (_written(entry) for entry in all_steps(tuple(entries)))
        self._reserved = {name for name in written if name}
        self._given: set[str] = set()
        self._next: dict[str, int] = {}

    def of(self, entry: StepEntry, service: str | None, suffix: str = "") -> str:
        """The unique name of `entry`: its own, made unique as ``name (2)`` (T-13), or a generated
        one, made unique as ``name_2`` (T-15); `suffix` is the ``[service]`` of T-25."""
        if written := _written(entry):
            name = written + suffix
            free = name not in self._given
            return self._give(name) if free else self._numbered(name, "{} ({})")
        name = _generated(entry, service) + suffix
        return self._give(name) if self._free(name) else self._numbered(name, "{}_{}")

    def _numbered(self, name: str, pattern: str) -> str:
        key = pattern.format(name, "")
        for number in count(self._next.get(key, 2)):
            candidate = pattern.format(name, number)
            if self._free(candidate):
                # Numbers below are taken for good: thousands of equal names stay cheap.
                self._next[key] = number + 1
                return self._give(candidate)
        raise AssertionError("numbers do not end")

    def _free(self, name: str) -> bool:
        return name not in self._given and name not in self._reserved

    def _give(self, name: str) -> str:
        self._given.add(name)
        return name


def own_names(entry: StepEntry, name: str, service: str | None, suffix: str) -> tuple[str, ...]:
    """What the user calls the step whose unique name is `name`; other steps may be called so too.

    First its name in the file with the `suffix` of T-25, or `name` where the file gives none; then,
    where there is a suffix, the same without it.
    """
    written = _written(entry)
    first = written + suffix if written else name
    return (first, written or _generated(entry, service)) if suffix else (first,)


def _written(entry: StepEntry) -> str:
    """The name of the file as the log can show it, on one line (C-25); "" where there is none."""
    return _CONTROLS.sub(" ", entry.name or "").strip()


def _generated(entry: StepEntry, service: str | None) -> str:
    if isinstance(entry, RunEntry):
        return re.sub(r"\s+", "_", _CONTROLS.sub(" ", entry.text).strip())[:_LONGEST]
    if isinstance(entry, PushEntry):
        return f"push_{service}"
    return entry.kind.value
