"""Clean-up that never delays a verdict, and that no cancellation can cut short.

A step hands over what it made when its verdict is known; removal goes on beside the next steps.
Leaving the janitor's block waits for all of it, bounded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from longshore.engine.port import Engine
from longshore.errors import EngineError

_MARGIN = 60.0
"""Seconds beyond the grace period after which clean-up gives up on an engine."""


@dataclass(slots=True)
class StepDebris:
    """What one step made: containers in the order they were started, and its network.

    A main container that has not ended is stopped politely, as dependencies are.
    """

    main: str | None = None
    main_ended: bool = False
    dependencies: list[str] = field(default_factory=list)
    network: str | None = None


@dataclass(slots=True)
class Janitor:
    """Removes debris. `grace` is what a container gets between SIGTERM and SIGKILL (T-6)."""

    engine: Engine
    tasks: TaskGroup
    grace: float
    keep: bool = False
    lost: list[EngineError] = field(default_factory=list)

    def dispose(self, debris: StepDebris, *, grace: float | None = None) -> None:
        """Remove all of `debris` in the background; nothing when the user keeps containers."""
        if not self.keep:
            self.tasks.start_soon(self._dispose, debris, self.grace if grace is None else grace)

    async def _dispose(self, debris: StepDebris, grace: float) -> None:
        """Each thing on its own: one that cannot be removed keeps no other."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(grace + _MARGIN):
            running = list(debris.dependencies)
            if debris.main is not None and not debris.main_ended:
                running.append(debris.main)
            async with anyio.create_task_group() as group:
                if debris.main is not None and debris.main_ended:
                    group.start_soon(self._attempt, self.engine.remove, debris.main)
                for container in running:
                    group.start_soon(self._end, container, grace)
            if debris.network is not None:
                await self._attempt(self.engine.remove_network, debris.network)

    async def _end(self, container: str, grace: float) -> None:
        await self._attempt(self.engine.stop, container, grace)
        await self._attempt(self.engine.remove, container)

    async def _attempt(self, work: Callable[..., Awaitable[None]], *arguments: object) -> None:
        try:
            await work(*arguments)
        except EngineError as lost:
            self.lost.append(lost)


@asynccontextmanager
async def janitor(engine: Engine, *, grace: float, keep: bool) -> AsyncIterator[Janitor]:
    """A janitor for one run; leaving the block waits until everything is removed."""
    async with anyio.create_task_group() as tasks:
        yield Janitor(engine, tasks, grace, keep)
