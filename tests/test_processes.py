"""Programs that are run to their end, and what becomes of them when somebody cancels."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from random import Random

import anyio
import pytest

from longshore.processes import killed, opened, run, send


async def test_a_program_runs_to_its_end_with_both_outputs_and_its_exit_code() -> None:
    done = await run(["sh", "-c", "echo out; echo err >&2; exit 7"])

    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 7)


async def test_who_is_cancelled_at_any_moment_leaves_no_process_and_no_word_on_standard_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    random = Random(1)

    with caplog.at_level(logging.WARNING, logger="asyncio"):
        for _ in range(200):
            with anyio.move_on_after(random.uniform(0, 0.006)):
                await run(["sleep", "0.003"])
        await anyio.sleep(0.05)

    assert not caplog.messages
    assert not _children()


async def test_a_program_that_runs_on_is_killed_when_its_caller_is_cancelled() -> None:
    with anyio.move_on_after(0.05):
        await run(["sleep", "100"])

    assert not _children()


async def test_what_a_killed_program_has_started_is_not_waited_for() -> None:
    with anyio.fail_after(5), anyio.move_on_after(0.1):
        await run(["sh", "-c", "sleep 6 & wait"])

    assert not _children()


async def test_a_program_that_is_missing_is_told_as_the_system_tells_it() -> None:
    with pytest.raises(FileNotFoundError):
        await run(["longshore-has-no-such-program"])


async def test_a_program_that_ends_by_itself_while_it_is_ended_is_no_unknown_child(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, logger="asyncio"):
        for _ in range(100):
            program = await opened(["sleep", "0.003"])
            await anyio.sleep(0.003)
            send(program, signal.SIGTERM)
            await killed(program)
        await anyio.sleep(0.05)

    assert not caplog.messages


def _children() -> str:
    mine = Path(f"/proc/self/task/{os.getpid()}/children")
    return mine.read_text()
