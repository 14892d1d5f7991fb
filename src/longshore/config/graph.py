"""Cycles in a graph of names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def cycles(edges: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Disjoint cycles, each beginning at the name that comes first in `edges`.

    Every cycle of the graph shares a name with one of those given. Linear, without recursion.
    """
    order = {name: number for number, name in enumerate(edges)}
    done: set[str] = set()
    found: list[tuple[str, ...]] = []
    taken: set[str] = set()
    for start in edges:
        for cycle in _from(start, edges, done):
            if not taken.intersection(cycle):
                taken.update(cycle)
                first = min(range(len(cycle)), key=lambda at: order[cycle[at]])
                found.append((*cycle[first:], *cycle[:first]))
    return tuple(found)


def _from(
    start: str, edges: Mapping[str, Sequence[str]], done: set[str]
) -> Iterator[tuple[str, ...]]:
    """Depth first from `start`: a cycle for every edge back to the path."""
    if start in done:
        return
    path = [start]
    position = {start: 0}
    pending = [iter(edges[start])]
    while path:
        target = next(pending[-1], None)
        if target is None:
            pending.pop()
            done.add(path[-1])
            del position[path.pop()]
        elif target in position:
            yield tuple(path[position[target] :])
        elif target not in done and target in edges:
            position[target] = len(path)
            path.append(target)
            pending.append(iter(edges[target]))
