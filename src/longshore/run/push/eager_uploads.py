"""The uploads of `eager.py` at work, beside the steps of a run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from longshore.errors import LongshoreError
from longshore.plan.model import PushStep
from longshore.run.events import PushOutput
from longshore.run.push.eager import pushed_early
from longshore.run.push.step import push_request
from longshore.run.runtime import Runtime


@asynccontextmanager
async def eager_uploads(runtime: Runtime) -> AsyncIterator[None]:
    """Uploads run while the block does; what is still under way at its end is cancelled."""
    steps = pushed_early(runtime.plan, runtime.options.eager_push)
    async with anyio.create_task_group() as tasks:
        for step in steps:
            await tasks.start(_upload, runtime, step)
        yield
        tasks.cancel_scope.cancel()


async def _upload(
    runtime: Runtime, step: PushStep, *, task_status: anyio.abc.TaskStatus[None]
) -> None:
    async with runtime.uploads.running(step.path):
        task_status.started()
        try:
            image = await runtime.images.made(step.push.image)
            _tell(runtime, step, "uploading layers while the steps before run (eager)")
            if await runtime.pusher.prepare(await push_request(runtime, step, image)):
                text = "the layers are in the registry, invisible until this step"
            else:
                text = "the engine pushes this image, and does so only in this step"
            _tell(runtime, step, text)
        except LongshoreError as error:
            text = f"the early upload stopped, and this step will do it: {error.message}"
            _tell(runtime, step, text)


def _tell(runtime: Runtime, step: PushStep, text: str) -> None:
    runtime.emit(PushOutput(step=step.path, name=step.name, service=step.service, text=text))
