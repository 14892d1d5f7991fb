"""What comes before what, of services to start and images to build (S-34, I-7); pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping


def needed_first(direct: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    """By name, everything it needs, transitively, each after what that needs itself.

    `direct` is what each needs by its own words; there are no circles. An order is made of those of
    the names in it: a long chain would take minutes if each were searched for anew.
    """
    orders: dict[str, tuple[str, ...]] = {}
    waiting = list(direct)
    while waiting:
        name = waiting[-1]
        missing = [child for child in direct[name] if child not in orders]
        waiting += missing
        if not missing:
            waiting.pop()
            if name not in orders:
                orders[name] = _order(direct[name], orders)
    return orders


def _order(children: Iterable[str], orders: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for child in children:
        if child not in found:  # with all that it needs
            found |= dict.fromkeys((*orders[child], child))
    return tuple(found)
