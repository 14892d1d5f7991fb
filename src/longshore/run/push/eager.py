"""Push while testing: layers of images that will be pushed go up while the steps before run.

A blob without a manifest cannot be seen, and the manifest is left to the push step. What goes
wrong here fails nothing: the push step does everything that is missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager

import anyio
from msgspec import Struct, field

from longshore.plan.model import Parallel, Plan, PushStep, RunStep, Step, runnable, walk


class _Upload(Struct):
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    over: anyio.Event = field(default_factory=anyio.Event)


class Uploads(Struct):
    """The uploads of a run that began before their push step, by the step's path."""

    _running: dict[str, _Upload] = field(default_factory=dict)

    @asynccontextmanager
    async def running(self, path: str) -> AsyncIterator[None]:
        """The block is the upload for this step; it is left when the upload is given up."""
        upload = self._running[path] = _Upload()
        try:
            with upload.scope:
                yield
        finally:
            upload.over.set()

    async def finished(self, path: str) -> None:
        """Wait for the upload of this step, if there is one."""
        if path in self._running:
            await self._running[path].over.wait()

    def give_up(self, paths: Iterable[str]) -> None:
        """Stop the uploads for steps that will not be reached."""
        for path in paths:
            if path in self._running:
                self._running[path].scope.cancel()


def pushed_early(plan: Plan, everything: bool) -> tuple[PushStep, ...]:
    """The push steps whose layers go up early: those that say so, or all."""
    pushes = (step for step in runnable(plan.root) if isinstance(step, PushStep))
    return tuple(step for step in pushes if everything or step.push.eager)


def unreachable(root: Step, failed: str) -> Iterator[str]:
    """Paths of the push steps that are not reached once the leaf `failed` has failed.

    Those are the later ones of every serial group around it; steps of a parallel group that run
    already go on (T-18), and those that do not start are told by the walk.
    """
    if isinstance(root, RunStep | PushStep):
        return
    for place, child in enumerate(root.steps):
        if all(step.path != failed for step in walk(child)):
            continue
        yield from unreachable(child, failed)
        if not isinstance(root, Parallel):
            for later in root.steps[place + 1 :]:
                yield from pushes_of(later)


def pushes_of(step: Step) -> Iterator[str]:
    """Paths of the push steps in this one."""
    return (one.path for one in walk(step) if isinstance(one, PushStep))
