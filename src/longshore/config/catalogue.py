"""What every kind of problem means: the text of ``longshore explain`` and of its reference page.

An `example` is a file, or part of one, in which the problem is found; `file` says which. Tests
read each example and look for its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from longshore.config import catalogue_services, catalogue_steps, catalogue_yaml
from longshore.config.kind import Kind

CATALOGUE: Final[Mapping[str, Kind]] = {
    kind.code: kind
    for kind in (*catalogue_yaml.KINDS, *catalogue_services.KINDS, *catalogue_steps.KINDS)
}
"""Every kind by its code, in the order of the codes."""


def look_up(text: str) -> Kind | None:
    """The kind that a user means by ``LS012``, ``ls12``, ``12`` or the kind's name, if any."""
    wanted = text.strip().upper()
    digits = wanted.removeprefix("LS")
    if digits.isdecimal() and len(digits) <= 3:
        wanted = f"LS{int(digits):03}"
    if wanted in CATALOGUE:
        return CATALOGUE[wanted]
    named = [kind for kind in CATALOGUE.values() if kind.name == text.strip().lower()]
    return named[0] if named else None
