"""What is done when nothing else has come for a while, and what becomes of its failures."""

from __future__ import annotations

import anyio
import pytest

from longshore.run.alarm import alarm


async def test_it_rings_once_and_only_after_the_last_setting() -> None:
    rung: list[float] = []
    with alarm(0.05, lambda: rung.append(anyio.current_time())) as bell:
        begin = anyio.current_time()
        for _ in range(5):
            bell.set()
            await anyio.sleep(0.02)
        await anyio.sleep(0.2)
    (at,) = rung
    assert at - begin > 0.1


async def test_it_does_not_ring_after_its_block() -> None:
    rung: list[int] = []
    with alarm(0.01, lambda: rung.append(1)) as bell:
        bell.set()
    await anyio.sleep(0.05)
    assert rung == []


async def test_a_failure_ends_the_block_that_waits_and_is_raised_there() -> None:
    def fail() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    async def wait() -> None:
        with alarm(0.01, fail) as bell:
            bell.set()
            await anyio.sleep(5)

    with pytest.raises(BrokenPipeError):
        await wait()
