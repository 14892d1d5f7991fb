"""Clean-up that never delays a verdict, and that no cancellation can cut short.

A step hands over what it made when its verdict is known; removal goes on beside the next steps.
Leaving the janitor's block waits for all of it, bounded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct, field

from longshore.engine.port import Engine
from longshore.errors import EngineError, NoFreeNetwork

INTERRUPT_GRACE = 3.0
"""Seconds containers get to end after Ctrl-C."""

_MARGIN = 60.0
"""Seconds beyond the grace period after which clean-up gives up on an engine."""

_SILENCE = 10.0
"""The same after Ctrl-C, in which an engine has come to the end of nothing; what stops a hundred
containers takes longer for all of them, but not for one."""


class StepDebris(Struct):
    """What one step made: containers in the order they were started, and its network.

    A main container that has not ended is stopped politely, as dependencies are.
    """

    main: str | None = None
    main_ended: bool = False
    dependencies: list[str] = field(default_factory=list)
    network: str | None = None


class Janitor(Struct):
    """Removes debris. `grace` is what a container gets between SIGTERM and SIGKILL (T-6).

    As soon as the run is `interrupted` it is `INTERRUPT_GRACE` at most (C-6), and an engine that
    gets nothing done for `silence` seconds is given up.
    """

    engine: Engine
    tasks: TaskGroup
    grace: float
    keep: bool = False
    margin: float = _MARGIN
    silence: float = _SILENCE
    interrupted: anyio.Event = field(default_factory=anyio.Event)
    lost: list[EngineError] = field(default_factory=list)
    at_the_end: list[str] = field(default_factory=list)
    """Containers, not running, that go when everything else has."""
    _networks: set[str] = field(default_factory=set)
    """Those of this run that will be removed."""
    _removed: anyio.Event = field(default_factory=anyio.Event)
    _done: anyio.Event = field(default_factory=anyio.Event)
    _is_given_up: bool = False

    async def network(self, name: str, labels: Mapping[str, str]) -> str:
        """Make a network; where the engine has no address left, wait for one of this run to go.

        An engine has addresses for some thirty networks, and dependencies can take their time to
        end (T-6). Whoever has a network needs no other to come to its end. Raises EngineError.
        """
        while True:
            removed = self._removed
            try:
                network = await self.engine.create_network(name, labels)
            except NoFreeNetwork:
                if not self._networks and not removed.is_set():
                    raise
                await removed.wait()
            else:
                if not self.keep:
                    self._networks.add(network)
                return network

    def dispose(
        self, debris: StepDebris, *, grace: float | None = None, secret: bool = False
    ) -> None:
        """Stop and remove all of `debris` in the background.

        What the user keeps is stopped only (C-6, C-22), unless it holds something `secret`.
        """
        keep = self.keep and not secret
        grace = self.grace if grace is None else grace
        self.tasks.start_soon(self._dispose, debris, grace, keep)

    async def _dispose(self, debris: StepDebris, grace: float, keep: bool) -> None:
        """Each thing on its own: one that cannot be removed keeps no other."""
        async with self._bounded(grace + self.margin), anyio.create_task_group() as group:
            for container in filter(None, (debris.main, *debris.dependencies)):
                ended = container == debris.main and debris.main_ended
                group.start_soon(self._end, container, None if ended else grace, keep)
        async with self._bounded(self.margin):
            if debris.network is not None and not keep:
                await self._attempt(self.engine.remove_network, debris.network)
        if debris.network is not None:
            self._networks.discard(debris.network)
            self._removed.set()
            self._removed = anyio.Event()

    async def finish(self) -> None:
        """Remove what the steps shared; nothing of them may be left by now."""
        if not self.keep:
            async with self._bounded(self.margin):
                for container in self.at_the_end:
                    await self._attempt(self.engine.remove, container)

    @asynccontextmanager
    async def _bounded(self, seconds: float) -> AsyncIterator[None]:
        """Not cut short by a cancellation, and not for ever; what was not done counts as lost."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(seconds) as limit:
            async with anyio.create_task_group() as group:
                group.start_soon(self._give_up, limit)
                yield
                group.cancel_scope.cancel()
        if limit.cancelled_caught:
            what = "got nothing done" if self._is_given_up else "did not finish"
            seconds = self.silence if self._is_given_up else seconds
            self.lost.append(EngineError(f"the engine {what} within {seconds:g} s"))

    async def _give_up(self, limit: anyio.CancelScope) -> None:
        """End what an engine does not get done for somebody who wants to leave."""
        await self.interrupted.wait()
        while not self._is_given_up:
            with anyio.move_on_after(self.silence) as silence:
                await self._done.wait()
            self._is_given_up = silence.cancelled_caught
        limit.cancel()

    async def _end(self, container: str, grace: float | None, keep: bool) -> None:
        """`grace` None: it has ended by itself."""
        if grace is not None:
            await self._stop(container, grace)
        if not keep:
            await self._attempt(self.engine.remove, container)

    async def _stop(self, container: str, grace: float) -> None:
        if self.interrupted.is_set():
            grace = min(grace, INTERRUPT_GRACE)
        async with anyio.create_task_group() as group:
            if grace > INTERRUPT_GRACE:
                group.start_soon(self._stop_sooner, container)
            await self._attempt(self.engine.stop, container, grace)
            group.cancel_scope.cancel()

    async def _stop_sooner(self, container: str) -> None:
        """A second request with a shorter grace brings the end that the first one waits for."""
        await self.interrupted.wait()
        with suppress(EngineError):
            await self.engine.stop(container, INTERRUPT_GRACE)

    async def _attempt(self, work: Callable[..., Awaitable[None]], *arguments: object) -> None:
        try:
            await work(*arguments)
        except EngineError as lost:
            self.lost.append(lost)
        self._done.set()
        self._done = anyio.Event()


@asynccontextmanager
async def janitor(
    engine: Engine,
    *,
    grace: float,
    keep: bool,
    margin: float = _MARGIN,
    silence: float = _SILENCE,
    interrupted: anyio.Event | None = None,
) -> AsyncIterator[Janitor]:
    """A janitor for one run; leaving the block waits until everything is removed, or `margin`
    seconds longer than containers have to end, or, once interrupted, for an engine that gets
    nothing done not more than `silence` seconds."""
    tasks = anyio.create_task_group()
    cleaner = Janitor(engine, tasks, grace, keep, margin, silence, interrupted or anyio.Event())
    try:
        async with tasks:
            yield cleaner
    finally:
        await cleaner.finish()
