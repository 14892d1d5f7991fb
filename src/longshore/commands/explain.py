"""``longshore explain LS012``: what a kind of problem means."""

from __future__ import annotations

from collections.abc import Callable

from longshore.config.catalogue import CATALOGUE, look_up
from longshore.config.reference import explanation
from longshore.config.suggest import did_you_mean
from longshore.errors import UsageError


def explain(*, codes: tuple[str, ...], out: Callable[[str], None]) -> int:
    """Write what each code (or name) means, all of them in one line each without any; 0.

    Raises UsageError for a code that does not exist.
    """
    for code in codes:
        kind = look_up(code)
        if kind is None:
            names = [name for known in CATALOGUE.values() for name in (known.code, known.name)]
            raise UsageError(
                f'there is no problem "{code}"' + did_you_mean(code, names),
                hint='"longshore explain" lists all',
            )
        out(explanation(kind))
    if not codes:
        out("".join(f"{kind.code}  {kind.title}\n" for kind in CATALOGUE.values()))
    return 0
