"""The same work for many things at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

Item = TypeVar("Item")
Result = TypeVar("Result")


async def side_by_side(
    work: Callable[[Item], Awaitable[Result]], items: Sequence[Item], *, at_once: int
) -> list[Result]:
    """The results in the order of `items`; the first failure stops the others and is raised."""
    results: dict[int, Result] = {}
    failures: list[Exception] = []
    limiter = anyio.CapacityLimiter(at_once)

    async def one(place: int, item: Item) -> None:
        async with limiter:
            try:
                results[place] = await work(item)
            except Exception as error:  # noqa: BLE001  # raised below, out of the group's wrapper
                failures.append(error)
                tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for place, item in enumerate(items):
            tasks.start_soon(one, place, item)
    if failures:
        raise failures[0]
    return [results[place] for place in range(len(items))]
