"""One command at work on an engine: the object graph of steps, run and load, built here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from longshore.commands.masked_failures import masked_failures
from longshore.commands.preparation import Remarks, check_needs, project_files
from longshore.commands.session_options import SessionOptions
from longshore.engine.opening import open_engine
from longshore.engine.port import Engine
from longshore.environment import Environment
from longshore.plan.model import Plan, PushStep, runnable
from longshore.report.journal import journal
from longshore.report.readers import masked
from longshore.run.docker_access import DockerAccess, docker_access
from longshore.run.events import Notice
from longshore.run.execute import Setting
from longshore.run.files import ProjectFiles
from longshore.run.liveness import Liveness, ProcessIdentity, held_lock
from longshore.run.needs import Need, running_services
from longshore.run.push.port import EnginePusher, Pusher
from longshore.run.scope import RunScope
from longshore.run.stream import Emit, to_all
from longshore.run.sweep import sweep
from longshore.run.variables import Sources
from longshore.secrets.masking import Masker


@asynccontextmanager
async def open_session(
    plan: Plan,
    needs: Iterable[Need],
    options: SessionOptions,
    environment: Environment,
    masker: Masker,
    emit: Emit,
) -> AsyncIterator[Setting]:
    """An engine and everything a run needs on it; what dead runs left is swept first.

    Before that, `needs` are looked at: raises what a missing key, file or credential ends in, and
    EngineUnavailable when there is no engine.
    """
    remarks = Remarks()
    needs = tuple(needs)
    files = project_files(plan.directory, options, environment, masker, remarks)
    check_needs(plan, needs, options, environment, files)
    locks = environment.state_directory / "runs"
    scope = RunScope(
        project=plan.directory,
        process=ProcessIdentity.of_this_process(),
        kept=options.run.keep_containers,
    )
    async with (
        open_engine(options.engine, environment, builder=options.builder) as engine,
        _opened_pusher(plan, engine, options, environment) as pusher,
    ):
        journals = environment.state_directory / "journals"
        with (
            held_lock(locks, scope.id),
            journal(journals, scope.id) as keep,
            masked_failures(masker),
        ):
            everybody = to_all(emit, lambda event: keep(masked(event, masker)))
            remarks.tell(everybody, masker)
            await _sweep(engine, Liveness(locks, scope.process), everybody)
            running = running_services(plan, needs, options.credential_options.flags)
            yield await _setting(
                plan, options, environment, files, everybody, engine, pusher, scope, running
            )
            remarks.tell(everybody, masker)


@asynccontextmanager
async def _opened_pusher(
    plan: Plan, engine: Engine, options: SessionOptions, environment: Environment
) -> AsyncIterator[Pusher]:
    """Nothing is loaded for plans that push nothing: half the start-up is the registry client."""
    pushes = [step for step in runnable(plan.root) if isinstance(step, PushStep)]
    if not pushes:
        if options.push.metadata_file is not None:
            from longshore.run.push.metadata_file import make_room

            make_room(options.push.metadata_file)
        yield EnginePusher(engine)
        return
    from longshore.run.push.registry_pusher import opened_pusher

    access = options.registries.access(environment)
    for registry in sorted({one.registry for step in pushes for one in step.push.targets}):
        access.check(registry)
    async with opened_pusher(engine, access, options.push) as pusher:
        yield pusher


async def _sweep(engine: Engine, liveness: Liveness, emit: Emit) -> None:
    count = await sweep(engine, liveness)
    if count:
        emit(Notice(text=f"removed {count} things that an interrupted run had left"))


async def _setting(
    plan: Plan,
    options: SessionOptions,
    environment: Environment,
    files: ProjectFiles,
    emit: Emit,
    engine: Engine,
    pusher: Pusher,
    scope: RunScope,
    running: frozenset[str],
) -> Setting:
    access = DockerAccess(variables=(), mounts=())
    if any(plan.services[name].add_docker for name in running):
        access = docker_access(environment, (await engine.info()).endpoint)
    return Setting(
        engine=engine,
        scope=scope,
        options=options.run,
        emit=emit,
        files=files,
        images=options.images_in(environment),
        credentials=options.credential_options,
        environment=environment,
        sources=Sources(
            files=files,
            host=environment.values,
            docker=access.variables,
            command_line=options.env,
        ),
        pusher=pusher,
        docker_mounts=access.mounts,
        mask=files.masker.feed,
        mask_end=files.masker.flush,
    )
