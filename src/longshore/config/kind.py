"""A kind of problem."""

from __future__ import annotations

from msgspec import Struct

SERVICES = "codeship-services.yml"
STEPS = "codeship-steps.yml"


class Kind(Struct, frozen=True):
    """`code` and `name` are stable; `example` is text of `file`, "" when none can be shown."""

    code: str
    name: str
    title: str
    meaning: str
    remedy: str
    example: str = ""
    file: str = STEPS
