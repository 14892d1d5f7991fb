"""One execution of a plan: everything it made is gone, or told of, when it returns."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from msgspec import Struct, field

from longshore.engine.port import Engine
from longshore.engine.spec import Mount
from longshore.environment import Environment
from longshore.errors import BuildFailed
from longshore.plan.model import BuildPlan, Plan
from longshore.run.credentials import CredentialOptions, Credentials, Generate
from longshore.run.events import Notice, RunFinished, RunStarted
from longshore.run.files import ProjectFiles, Values
from longshore.run.gate import Gate
from longshore.run.image_cache import ImageCache
from longshore.run.images import ImageOptions, ImageStore
from longshore.run.janitor import Janitor, janitor
from longshore.run.needs import generator_images
from longshore.run.push.eager_uploads import eager_uploads
from longshore.run.push.port import Pusher
from longshore.run.result import RunResult
from longshore.run.runtime import Mask, RunOptions, Runtime
from longshore.run.scope import RunScope
from longshore.run.steps import Walker, waiting_groups
from longshore.run.stream import Emit
from longshore.run.variables import Sources
from longshore.run.volumes import RunVolumes


class Setting(Struct, frozen=True, kw_only=True):
    """Everything a run needs besides its plan; commands put it together."""

    engine: Engine
    scope: RunScope
    options: RunOptions
    emit: Emit
    files: ProjectFiles
    images: ImageOptions
    credentials: CredentialOptions
    environment: Environment
    sources: Sources
    pusher: Pusher
    docker_mounts: tuple[Mount, ...] = ()
    mask: Mask = field(default=lambda _, data: data)
    mask_end: Callable[[str], bytes] = field(default=lambda _: b"")
    interrupted: anyio.Event = field(default_factory=anyio.Event)
    """Set by the first Ctrl-C, whatever is at work then; clean-up hurries from there on."""


async def execute(
    plan: Plan, setting: Setting, interruption: anyio.CancelScope | None = None
) -> RunResult:
    """Run the plan; never raises for what steps do.

    Cancelling `interruption` stops the steps; what they made is removed all the same. The verdict
    (`RunFinished`) is emitted before the last clean-up is done.
    """
    began = time.monotonic()
    scope = interruption or anyio.CancelScope()
    async with open_runtime(plan, setting) as runtime:
        walker = Walker(runtime)
        with scope, anyio.move_on_after(setting.options.timeout) as limit:
            async with eager_uploads(runtime):
                await walker.walk(plan.root, Gate())
        root = walker.so_far(plan.root)
        result = RunResult(
            root=root,
            interrupted=scope.cancelled_caught,
            timed_out=limit.cancelled_caught,
            seconds=time.monotonic() - began,
            waiting=waiting_groups(root, walker.outcomes),
        )
        runtime.emit(run_finished(result))
    return result


@asynccontextmanager
async def open_runtime(plan: Plan, setting: Setting) -> AsyncIterator[Runtime]:
    """A runtime for `plan`; leaving the block waits for its clean-up and tells what is left."""
    info = await setting.engine.info()
    options = setting.options
    setting.emit(
        RunStarted(
            run=setting.scope.id,
            project=str(plan.directory),
            engine=f"{info.name} {info.version} ({info.endpoint})",
        )
    )

    async def generate(service: str) -> bytes:
        from longshore.run.generator import generated_dockercfg

        return await generated_dockercfg(runtime, service)

    async with janitor(
        setting.engine,
        grace=options.grace,
        keep=options.keep_containers,
        interrupted=setting.interrupted,
    ) as cleaner:
        runtime = Runtime(
            plan=plan,
            engine=setting.engine,
            info=info,
            scope=setting.scope,
            options=options,
            emit=setting.emit,
            images=_image_store(plan, setting, generate),
            sources=setting.sources,
            pusher=setting.pusher,
            janitor=cleaner,
            slots=anyio.CapacityLimiter(options.max_parallel or max(1, info.cpus)),
            volumes=_volumes(plan, setting, cleaner),
            docker_mounts=setting.docker_mounts,
            mask=setting.mask,
            mask_end=setting.mask_end,
        )
        yield runtime
    if cleaner.lost:
        setting.emit(Notice(text=f"not everything could be removed: {cleaner.lost[0].message}"))
        setting.emit(Notice(text="run `longshore cleanup` when the engine is back"))


def _volumes(plan: Plan, setting: Setting, cleaner: Janitor) -> RunVolumes | None:
    if not setting.options.keep_volumes:
        return None
    return RunVolumes(plan=plan, engine=setting.engine, scope=setting.scope, janitor=cleaner)


def _image_store(plan: Plan, setting: Setting, generate: Generate) -> ImageStore:
    async def values(image: BuildPlan) -> tuple[Values, Values]:
        for fault in plan.faults.get(image.key, ()):
            # Steps that need it were stopped before; generators of credentials are not looked at.
            raise BuildFailed(fault.message, hint=fault.hint)
        return setting.files.build_values(image, as_secrets=setting.images.build_secrets)

    return ImageStore(
        engine=setting.engine,
        plans=plan.images,
        emit=setting.emit,
        credentials=Credentials(
            plan.directory, setting.environment, setting.files, setting.credentials, generate
        ),
        cache=ImageCache(engine=setting.engine, emit=setting.emit, place=setting.images.cache),
        values_of=values,
        options=setting.images,
        quiet_timeout=setting.options.quiet_timeout,
        for_generators=generator_images(plan, setting.credentials.flags),
    )


def run_finished(result: RunResult) -> RunFinished:
    """The event that ends the log of a run."""
    return RunFinished(
        failed=tuple((step.name, step.outcome) for step in result.failed),
        not_run=result.not_run,
        stopped=result.stopped,
        waiting=result.waiting,
        interrupted=result.interrupted,
        timed_out=result.timed_out,
        engine_lost=result.engine_lost,
        seconds=result.seconds,
    )
