"""Names of steps: unique labels, generated where the file gives none (spec 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from longshore.config.model import GroupEntry, PushEntry, RunEntry, StepEntry

_LONGEST = 60


class StepNames:
    """Hands out names; those of the file are reserved, so that no generated one takes them."""

    def __init__(self, entries: Iterable[StepEntry]) -> None:
        self._reserved = set(_written(entries))
        self._given: set[str] = set()

    def of(self, entry: StepEntry, service: str | None, suffix: str = "") -> str:
        """The unique name of `entry`: its own, made unique as ``name (2)`` (T-13), or a generated
        one, made unique as ``name_2`` (T-15); `suffix` is the ``[service]`` of T-25."""
        if entry.name is not None:
            return self._unique(entry.name + suffix, "{} ({})", reserved=False)
        return self._unique(_generated(entry, service) + suffix, "{}_{}", reserved=True)

    def _unique(self, name: str, pattern: str, *, reserved: bool) -> str:
        taken = self._given | self._reserved if reserved else self._given
        unique = next(n for n in _candidates(name, pattern) if n not in taken)
        self._given.add(unique)
        return unique


def _candidates(name: str, pattern: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield pattern.format(name, number)
        number += 1


def _generated(entry: StepEntry, service: str | None) -> str:
    if isinstance(entry, RunEntry):
        return re.sub(r"\s+", "_", entry.text.strip())[:_LONGEST]
    if isinstance(entry, PushEntry):
        return f"push_{service}"
    return entry.kind.value


def _written(entries: Iterable[StepEntry]) -> Iterator[str]:
    for entry in entries:
        if entry.name is not None:
            yield entry.name
        yield from _written(entry.on_fail)
        if isinstance(entry, GroupEntry):
            yield from _written(entry.steps)
