"""Which build arguments stay readable in the history of the image that was built with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct, field

_CONTINUED = re.compile(r"\\[ \t]*\r?\n(?:[ \t]*#[^\n]*\n)*")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)


class _Stage(Struct, frozen=True):
    """`below` is the earlier stage it starts from, if it starts from one."""

    below: _Stage | None
    arguments: set[str] = field(default_factory=set)


def lasting_arguments(dockerfile: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that a stage which becomes part of the image declares by ARG.

    An engine writes the values of all declared arguments into the history entry of every RUN that
    follows. Arguments of other stages, and of FROM lines, leave no trace.
    """
    stages: dict[str, _Stage] = {}
    last: _Stage | None = None
    for word, rest in _instructions(dockerfile):
        if word == "FROM" and (match := _FROM.match(rest)):
            last = _Stage(stages.get(match[1].lower()))
            if match[2]:
                stages[match[2].lower()] = last
        elif word == "ARG" and last is not None:
            last.arguments.update(part.partition("=")[0] for part in rest.split())
    declared: set[str] = set()
    while last is not None:
        declared |= last.arguments
        last = last.below
    return tuple(name for name in names if name in declared)


def _instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    for line in _CONTINUED.sub(" ", dockerfile).splitlines():
        word, *rest = line.split(None, 1) or [""]
        if word and not word.startswith("#"):
            yield word.upper(), " ".join(rest)
