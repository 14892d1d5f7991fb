"""The images that a Dockerfile is built on, as its text and the build's arguments name them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from longshore.errors import InvalidValue
from longshore.oci.reference import ImageReference

_LINES = re.IGNORECASE | re.MULTILINE
_FROM = re.compile(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?", _LINES)
_COPY_FROM = re.compile(r"^[ \t]*COPY[ \t]+(?:--\S+[ \t]+)*--from=(\S+)", _LINES)
_COMMENT = re.compile(r"^[ \t]*#.*$", _LINES)
_MOUNT_FROM = re.compile(r"(?<=\s)--mount=(?:\S*,)?from=([^\s,]+)")
_ARG = re.compile(r"^[ \t]*ARG[ \t]+(\S.*)", _LINES)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^{}]*))?\})")
_LONGEST: Final = 1024
"""Characters of a value that are looked at: no image has so long a name, and values that double
from line to line would fill the memory."""

Arguments = Iterable[tuple[str, str]]


def base_images(dockerfile: str, arguments: Arguments = ()) -> Iterator[str]:
    """The images a Dockerfile starts from, copies from or mounts, stages and ``scratch`` left out
    (I-7)."""
    names, stages = started_from(dockerfile, arguments)
    read = [*_COPY_FROM.findall(dockerfile), *_MOUNT_FROM.findall(_COMMENT.sub("", dockerfile))]
    names += [name for name in read if name.lower() not in stages]
    for name in names:
        if name in {"", "scratch"} or name.isdecimal() or "$" in name:
            continue
        yield _full_name(name)


def started_from(dockerfile: str, arguments: Arguments = ()) -> tuple[list[str], set[str]]:
    """The names behind FROM that are no stage's, and those of all stages, in lower case."""
    dockerfile = dockerfile.removeprefix("\ufeff")
    values = _known_to_from(dockerfile, dict(arguments))
    stages: set[str] = set()
    names: list[str] = []
    for match in _FROM.finditer(dockerfile):
        name = _expanded(match[1], values)
        # Only stages above it can be meant: FROM app AS app starts from the image.
        if name.lower() not in stages:
            names.append(name)
        if match[2]:
            stages.add(match[2].lower())
    return names, stages


def base_references(dockerfile: str, arguments: Arguments = ()) -> tuple[ImageReference, ...]:
    """As `base_images`, parsed; what is no reference is left out."""
    found: list[ImageReference] = []
    for name in base_images(dockerfile, arguments):
        try:
            found.append(ImageReference.parse(name).with_default_tag())
        except InvalidValue:
            continue
    return tuple(found)


def _known_to_from(dockerfile: str, given: Mapping[str, str]) -> dict[str, str]:
    """The arguments declared above the first FROM; no other counts there (Dockerfile reference,
    "Understand how ARG and FROM interact")."""
    first = _FROM.search(dockerfile)
    values: dict[str, str] = {}
    for match in _ARG.finditer(dockerfile, 0, first.start() if first else 0):
        for word in _words(match[1]):
            name, has_default, default = word.partition("=")
            if name in given or has_default:
                values[name] = given.get(name, _expanded(default, values))[:_LONGEST]
    return values


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is never closed
        return []


def _expanded(text: str, values: Mapping[str, str]) -> str:
    """With the values of variables; one that has none may be an encrypted argument, and stays."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1] or match[2])
        if match[3] is None:
            return match[0] if found is None else found
        return match[4] if bool(found) is match[3].endswith("+") else found or ""

    return _VARIABLE.sub(value, text[:_LONGEST])


def _full_name(name: str) -> str:
    try:
        return str(ImageReference.parse(name).with_default_tag())
    except InvalidValue:
        return name
