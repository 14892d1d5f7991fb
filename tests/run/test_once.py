"""Work is done once per key, and failures are forgotten."""

from __future__ import annotations

import anyio
import pytest

from longshore.run.once import OncePerKey


async def test_many_askers_share_one_piece_of_work() -> None:
    once: OncePerKey[int] = OncePerKey()
    begun = 0
    may_finish = anyio.Event()
    answers: list[int] = []

    async def work() -> int:
        nonlocal begun
        begun += 1
        await may_finish.wait()
        return 7

    async def ask() -> None:
        answers.append(await once.get("key", work))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        may_finish.set()
    assert (begun, answers) == (1, [7] * 5)


async def test_a_failure_reaches_those_who_wait_and_a_later_asker_tries_again() -> None:
    once: OncePerKey[int] = OncePerKey()

    async def fail() -> int:
        raise ValueError("no")

    async def work() -> int:
        return 1

    with pytest.raises(ValueError, match="no"):
        await once.get("key", fail)
    assert await once.get("key", work) == 1


async def test_when_the_worker_is_cancelled_another_asker_takes_over() -> None:
    once: OncePerKey[int] = OncePerKey()
    answers: list[int] = []

    async def never() -> int:
        await anyio.sleep_forever()
        raise AssertionError

    async def work() -> int:
        return 2

    async def ask() -> None:
        answers.append(await once.get("key", work))

    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as first:
            async with anyio.create_task_group() as inner:
                inner.start_soon(once.get, "key", never)
                await anyio.wait_all_tasks_blocked()
                group.start_soon(ask)
                await anyio.wait_all_tasks_blocked()
                first.cancel()
    assert answers == [2]
