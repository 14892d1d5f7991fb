"""Signals that stop a run: what each of them does the first time, and again (C-6)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketStream

from longshore.commands.interruption import interruptible
from longshore.engine.opening import open_engine
from longshore.environment import Environment


class Left(Exception):
    """What leaving at once is here."""


def _leave() -> None:
    raise Left


@contextmanager
def _disposition(action: signal.Handlers) -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, action)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


async def _after(*sent: signal.Signals, deaf: bool = False) -> tuple[bool, list[str]]:
    """Whether the run was stopped by the signals, and what was said."""
    said: list[str] = []

    def tell(text: str) -> None:
        if deaf:
            raise OSError(5, "Input/output error")
        said.append(text)

    async with interruptible(tell, _leave) as interruption:
        interruption.opened.set()
        await anyio.wait_all_tasks_blocked()
        with anyio.CancelScope(shield=True):
            for each in sent:
                signal.raise_signal(each)
                await _some_turns()
    assert interruption.scope.cancel_called is interruption.began.is_set()
    return interruption.began.is_set(), said


async def _some_turns() -> None:
    """The loop hears of a signal through a pipe of its own, and passes it on in later turns."""
    for _ in range(10):
        await anyio.lowlevel.checkpoint()


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
async def test_the_first_signal_stops_the_run(name: str) -> None:
    with _disposition(signal.SIG_DFL):
        stopped, said = await _after(signal.Signals[name])
    assert stopped
    assert said == ["stopping what still runs (once more to leave at once)\n"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
async def test_the_second_leaves_at_once(name: str) -> None:
    with pytest.RaisesGroup(Left):
        await _after(signal.SIGINT, signal.Signals[name])


async def test_a_closed_terminal_stops_it_with_clean_up_though_it_says_so_twice() -> None:
    with _disposition(signal.SIG_DFL):
        stopped, said = await _after(signal.SIGHUP, signal.SIGHUP)
    assert (stopped, len(said)) == (True, 1)


async def test_an_engine_that_does_not_answer_yet_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"

    async def serve(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            signal.raise_signal(signal.SIGINT)
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks, await anyio.create_unix_listener(path) as opened:
        tasks.start_soon(opened.serve, serve)
        with anyio.fail_after(10):
            async with (
                interruptible(lambda _: None, _leave) as interruption,
                open_engine(f"unix://{path}", Environment({})),
            ):
                await anyio.sleep_forever()
        assert interruption.began.is_set()
        tasks.cancel_scope.cancel()


async def test_once_the_engine_is_open_only_the_steps_are_stopped() -> None:
    async with interruptible(lambda _: None, _leave) as interruption:
        interruption.opened.set()
        with interruption.scope:
            await anyio.wait_all_tasks_blocked()
            signal.raise_signal(signal.SIGINT)
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()
        cleaned_up = True
    assert cleaned_up


async def test_a_run_under_nohup_outlives_its_terminal() -> None:
    with _disposition(signal.SIG_IGN):
        assert await _after(signal.SIGHUP) == (False, [])
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


async def test_it_stops_though_nobody_can_be_told() -> None:
    stopped, _ = await _after(signal.SIGTERM, deaf=True)
    assert stopped


async def test_what_stands_still_in_a_write_hears_of_it_before_the_loop_turns() -> None:
    heard: list[str] = []
    async with interruptible(lambda _: None, _leave, lambda: heard.append("hurry")) as stop:
        await anyio.wait_all_tasks_blocked()
        signal.raise_signal(signal.SIGINT)
        assert heard == ["hurry"]
        assert not stop.scope.cancel_called
        with anyio.CancelScope(shield=True):
            await _some_turns()
    assert stop.scope.cancel_called
