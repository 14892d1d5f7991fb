"""Work once per key."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from longshore.registry.once import Once


async def test_ten_callers_at_once_cause_one_run() -> None:
    once: Once[str, int] = Once()
    runs = 0
    results: list[int] = []

    async def work() -> int:
        nonlocal runs
        runs += 1
        await anyio.lowlevel.checkpoint()
        return 7

    async def ask() -> None:
        results.append(await once.get("key", work))

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(ask)

    assert (runs, results) == (1, [7] * 10)
    assert once.known("key") == 7


async def test_a_failure_is_told_to_its_caller_only_and_then_forgotten() -> None:
    once: Once[str, int] = Once()
    outcomes: list[object] = []
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await anyio.lowlevel.checkpoint()
        if runs == 1:
            raise ValueError("first")
        return runs

    async def ask() -> None:
        try:
            outcomes.append(await once.get("key", work))
        except ValueError as error:
            outcomes.append(str(error))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)

    assert sorted(map(str, outcomes)) == ["2", "2", "first"]


async def test_a_cancelled_worker_leaves_the_work_to_the_next() -> None:
    once: Once[str, int] = Once()
    started = anyio.Event()

    async def forever() -> int:
        started.set()
        await anyio.sleep_forever()
        raise AssertionError("never")

    async def quick() -> int:
        return 1

    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:

            async def cancel_when_started() -> None:
                await started.wait()
                scope.cancel()

            tasks.start_soon(cancel_when_started)
            await once.get("key", forever)
    assert scope.cancelled_caught
    assert await once.get("key", quick) == 1


async def test_forgotten_work_is_done_again() -> None:
    once: Once[str, int] = Once()
    values = iter((1, 2))

    async def work() -> int:
        return next(values)

    assert await once.get("key", work) == 1
    once.forget("key")
    assert await once.get("key", work) == 2


async def test_an_error_reaches_the_caller_as_it_is() -> None:
    async def work() -> int:
        raise KeyError("k")

    once: Once[str, int] = Once()
    with pytest.raises(KeyError):
        await once.get("key", work)
    assert once.known("key") is None


async def test_a_shared_failure_reaches_all_who_wait_and_a_later_asker_tries_again() -> None:
    once: Once[str, int] = Once(share_failures=True)
    outcomes: list[str] = []
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await anyio.lowlevel.checkpoint()
        if runs == 1:
            raise ValueError("first")
        return runs

    async def ask() -> None:
        try:
            outcomes.append(str(await once.get("key", work)))
        except ValueError as error:
            outcomes.append(str(error))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)
    await ask()
    assert outcomes == ["first", "first", "first", "2"]
