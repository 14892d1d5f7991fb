"""Hints that name what there is."""

from __future__ import annotations

from collections.abc import Iterable

from longshore.config.suggest import nearest


def name_hint(name: str, known: Iterable[str], kind: str) -> str:
    """``did you mean x?``, or all there are of that kind."""
    names = sorted(known)
    found = nearest(name, names)
    return f"did you mean {found}?" if found else f"the {kind} are {', '.join(names)}"
