"""A kind of problem."""

from __future__ import annotations

from dataclasses import dataclass

SERVICES = "codeship-services.yml"
STEPS = "codeship-steps.yml"


@dataclass(frozen=True, slots=True)
class Kind:
    """`code` and `name` are stable; `example` is text of `file`, "" when none can be shown."""

    code: str
    name: str
    title: str
    meaning: str
    remedy: str
    example: str = ""
    file: str = STEPS
