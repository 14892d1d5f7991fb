"""A container's output on its way into the event stream: complete, masked, one line or none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from longshore.run.events import ContainerOutput, Event
from longshore.run.execute import open_runtime
from longshore.run.pump import Pump, Tail
from longshore.run.runtime import StepLabel
from longshore.secrets.masking import Masker
from longshore.secrets.secret import Secret
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_container import FakeAttachment
from longshore.testing.engine_script import err, out
from longshore.testing.scene import Scene

Pumping = Callable[[], AbstractAsyncContextManager[Pump]]
SECRET = "s3cret-token"


@pytest.fixture
def events() -> list[Event]:
    """What the pumps of the test told."""
    return []


@pytest.fixture
def pumping(scene: Scene, events: list[Event]) -> Pumping:
    """A pump of a run that knows one secret."""

    @asynccontextmanager
    async def make() -> AsyncIterator[Pump]:
        masker = Masker()
        masker.add("TOKEN", Secret(SECRET))
        plan = scene.plan("app: {image: busybox}", "[{service: app, command: x}]")
        async with FakeEngine() as engine:
            setting = scene._setting(plan, engine, events)
            setting = replace(setting, mask=masker.feed, mask_end=masker.flush)
            async with open_runtime(plan, setting) as runtime:
                yield Pump(runtime, StepLabel(path="1", name="x"), "app")

    return make


@pytest.fixture
def attachment() -> Iterator[FakeAttachment]:
    """What the container writes to."""
    made = FakeAttachment(lambda: False)
    yield made
    made.leave()


def _shown(events: list[Event]) -> list[bytes]:
    return [event.data for event in events if isinstance(event, ContainerOutput)]


async def test_an_end_that_could_begin_a_secret_is_shown_when_nothing_follows(
    pumping: Pumping, attachment: FakeAttachment, events: list[Event]
) -> None:
    async with pumping() as pump:
        await attachment.give(out("the last word is s3cr"))
        attachment.end()
        await pump.read("container", attachment)
    assert b"".join(_shown(events)) == b"the last word is s3cr\n"


async def test_what_one_stream_begins_another_does_not_end(
    pumping: Pumping, attachment: FakeAttachment, events: list[Event]
) -> None:
    async with pumping() as pump:
        for chunk in (out("out: s3cr"), err("et-token: err\n"), out("et-token\n"), err("end\n")):
            await attachment.give(chunk)
        attachment.end()
        await pump.read("container", attachment)
    assert _shown(events) == [b"et-token: err\n", b"out: ***\n", b"end\n"]


async def test_half_a_line_is_shown_when_the_reading_is_cut_off(
    pumping: Pumping, attachment: FakeAttachment, events: list[Event]
) -> None:
    """As by --step-timeout: it tells what the step was at."""
    async with pumping() as pump:
        await attachment.give(out("whole\nhalf of s3cr"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pump.read, "container", attachment)
            with anyio.fail_after(10):
                while not _shown(events):
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
    assert _shown(events) == [b"whole\n", b"half of s3cr\n"]


def test_of_a_large_block_the_end_is_remembered() -> None:
    tail = Tail()
    tail.add(b"".join(b"line %d\n" % number for number in range(5000)))
    assert tail.lines(2) == ["line 4998", "line 4999"]


@given(st.lists(st.lists(st.integers(0, 999), min_size=1, max_size=9), max_size=40))
def test_the_last_lines_are_those_that_came_last(blocks: list[list[int]]) -> None:
    tail = Tail()
    for block in blocks:
        tail.add(b"".join(b"%d\n" % number for number in block))
    assert tail.lines() == [str(number) for block in blocks for number in block][-5:]
