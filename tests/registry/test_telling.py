"""What a push tells, as lines."""

from __future__ import annotations

import anyio
import pytest

from longshore.registry.progress import Exists, Mounted, Resumed, Sent, Waiting
from longshore.registry.telling import Lines, megabytes, telling, to_current

REPOSITORY = "team/app"


def _sent(total: int) -> Sent:
    return Sent(repository=REPOSITORY, blob="layer 1 of 2", total=total)


def test_a_blob_on_its_way_is_told_of_every_few_seconds_with_its_speed() -> None:
    told: list[str] = []
    seconds = iter([0.0, 1.0, 2.0, 4.0, 5.0, 8.0])
    lines = Lines(told.append, now=lambda: next(seconds))
    for total in (1, 2, 3, 4, 5, 6):
        lines(_sent(total * 10_000_000))
    assert told == ["layer 1 of 2: 40 MB, 10 MB/s", "layer 1 of 2: 60 MB, 7.5 MB/s"]


def test_turns_are_told_at_once() -> None:
    told: list[str] = []
    lines = Lines(told.append)
    lines(Exists(repository=REPOSITORY, blob="layer 2 of 2"))
    lines(Mounted(repository=REPOSITORY, blob="layer 2 of 2", source="base"))
    lines(Resumed(repository=REPOSITORY, blob="layer 1 of 2", offset=77, reason="a reset"))
    lines(Waiting(host="registry.test", seconds=2, reason="429 Too Many Requests"))
    assert told == [
        "layer 2 of 2: exists",
        "layer 2 of 2: mounted from base",
        "layer 1 of 2 resumed at byte 77 after a reset",
        "waiting 2.0 s for registry.test: 429 Too Many Requests",
    ]


async def test_pushes_at_the_same_time_hear_of_their_own_tasks_only() -> None:
    heard: dict[str, list[object]] = {"one": [], "two": []}

    async def task(name: str) -> None:
        with telling(heard[name].append):
            async with anyio.create_task_group() as below:
                below.start_soon(client, name)

    async def client(name: str) -> None:
        await anyio.lowlevel.checkpoint()
        to_current(Exists(repository=name, blob="b"))

    async with anyio.create_task_group() as tasks:
        for name in heard:
            tasks.start_soon(task, name)
    to_current(Exists(repository="nobody's", blob="b"))
    assert [[event.repository for event in events] for events in heard.values()] == [  # type: ignore[attr-defined]  # all are Exists
        ["one"],
        ["two"],
    ]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (12_340_000, "12.3 MB"), (2e9, "2 GB")],
)
def test_amounts_are_short(count: float, text: str) -> None:
    assert megabytes(count) == text
