"""Which known name was meant by an unknown one."""

from __future__ import annotations

from collections.abc import Iterable

_MAX_LENGTH = 60
_MAX_KNOWN = 500


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that differs least from `name`, or None when none is near.

    Near is: one wrong letter in every three, where a missing, a superfluous, a wrong and a swapped
    letter count one each (Damerau-Levenshtein), and case, ``-`` and ``_`` do not count. A name
    that begins with `name`, or the other way round, is near as well.
    """
    if not name or len(name) > _MAX_LENGTH:
        return None
    plain = _plain(name)
    known = list(known)
    if len(known) > _MAX_KNOWN:
        known = [other for other in known if other[:1] == name[:1]][:_MAX_KNOWN]
    scored = sorted((_distance(plain, _plain(other)), other) for other in known)
    if scored and scored[0][0] <= max(1, len(plain) // 3):
        return scored[0][1]
    return next((other for _, other in scored if _begins(plain, _plain(other))), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean "…"?`` for the end of a message, or nothing."""
    found = nearest(name, known)
    return f'; did you mean "{found}"?' if found else ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _begins(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= 3 and long.startswith(short)


def _distance(one: str, other: str) -> int:
    if abs(len(one) - len(other)) > 3 or len(other) > _MAX_LENGTH:
        return _MAX_LENGTH
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
