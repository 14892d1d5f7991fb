"""The images that a Dockerfile is built on, as its text names them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from longshore.errors import InvalidValue
from longshore.oci.reference import ImageReference

_LINES = re.IGNORECASE | re.MULTILINE
_FROM = re.compile(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?", _LINES)
_COPY_FROM = re.compile(r"^[ \t]*COPY[ \t]+(?:--\S+[ \t]+)*--from=(\S+)", _LINES)


def base_images(dockerfile: str) -> Iterator[str]:
    """The images a Dockerfile starts from or copies from, stages and ``scratch`` left out (I-7)."""
    stages: set[str] = set()
    names: list[str] = []
    for match in _FROM.finditer(dockerfile):
        # Only stages above it can be meant: FROM app AS app starts from the image.
        if match[1].lower() not in stages:
            names.append(match[1])
        if match[2]:
            stages.add(match[2].lower())
    copied = (match[1] for match in _COPY_FROM.finditer(dockerfile))
    names += [name for name in copied if name.lower() not in stages]
    for name in names:
        if name == "scratch" or name.isdecimal() or "$" in name:
            continue
        yield _full_name(name)


def base_references(dockerfile: str) -> tuple[ImageReference, ...]:
    """As `base_images`, parsed; what is no reference is left out."""
    found: list[ImageReference] = []
    for name in base_images(dockerfile):
        try:
            found.append(ImageReference.parse(name).with_default_tag())
        except InvalidValue:
            continue
    return tuple(found)


def _full_name(name: str) -> str:
    try:
        return str(ImageReference.parse(name).with_default_tag())
    except InvalidValue:
        return name
