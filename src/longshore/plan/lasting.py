"""What of a build stays in the image: arguments in its history, and files that are copied."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct, field

_CONTINUED = re.compile(r"\\[ \t]*\r?\n(?:[ \t]*#[^\n]*\n)*")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)


class _Stage(Struct, frozen=True):
    """`below` is the earlier stage it starts from, if it starts from one."""

    below: _Stage | None
    arguments: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)


def lasting_arguments(dockerfile: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that a stage which becomes part of the image declares by ARG.

    An engine writes the values of all declared arguments into the history entry of every RUN that
    follows. Arguments of other stages, and of FROM lines, leave no trace.
    """
    declared: set[str] = set()
    for stage in _lasting_stages(dockerfile):
        declared |= stage.arguments
    return tuple(name for name in names if name in declared)


def is_copied(dockerfile: str, path: str) -> bool:
    """Whether a stage which becomes part of the image copies `path` out of the build context."""
    sources = (source for stage in _lasting_stages(dockerfile) for source in stage.sources)
    return any(_covers(posixpath.normpath(source.lstrip("/")), path) for source in sources)


def _covers(source: str, path: str) -> bool:
    return source == "." or path.startswith(f"{source}/") or fnmatchcase(path, source)


def _lasting_stages(dockerfile: str) -> Iterator[_Stage]:
    """The last stage, and those that it starts from."""
    stages: dict[str, _Stage] = {}
    last: _Stage | None = None
    for word, rest in _instructions(dockerfile):
        if word == "FROM" and (match := _FROM.match(rest)):
            last = _Stage(stages.get(match[1].lower()))
            if match[2]:
                stages[match[2].lower()] = last
        elif word == "ARG" and last is not None:
            last.arguments.update(part.partition("=")[0] for part in rest.split())
        elif word in ("COPY", "ADD") and last is not None:
            last.sources.extend(_sources(rest))
    while last is not None:
        yield last
        last = last.below


def _sources(rest: str) -> list[str]:
    """Of a COPY; none where it copies from another stage or image."""
    flags = re.match(r"(?:--\S+\s+)*", rest)
    given = rest[flags.end() :] if flags else rest
    if "--from=" in rest[: len(rest) - len(given)]:
        return []
    try:
        words = json.loads(given)
    except ValueError:
        words = given.split()
    return [word for word in words[:-1] if isinstance(word, str)] if isinstance(words, list) else []


def _instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    for line in _CONTINUED.sub(" ", dockerfile).splitlines():
        word, *rest = line.split(None, 1) or [""]
        if word and not word.startswith("#"):
            yield word.upper(), " ".join(rest)
