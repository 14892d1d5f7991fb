"""One command at work on an engine: the object graph of steps, run and load, built here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from longshore.config.model import CredentialKeys, Pairs
from longshore.engine.opening import open_engine
from longshore.engine.port import Engine
from longshore.environment import Environment
from longshore.plan.model import Plan
from longshore.report.journal import journal
from longshore.report.readers import masked
from longshore.run.credentials import CredentialOptions
from longshore.run.docker_access import DockerAccess, docker_access
from longshore.run.events import Notice
from longshore.run.execute import Setting
from longshore.run.files import ProjectFiles
from longshore.run.images import ImageOptions
from longshore.run.liveness import Liveness, ProcessIdentity, held_lock
from longshore.run.push import EnginePusher
from longshore.run.runtime import RunOptions
from longshore.run.scope import RunScope
from longshore.run.stream import Emit, to_all
from longshore.run.sweep import sweep
from longshore.run.variables import Sources
from longshore.secrets.key import AesKey
from longshore.secrets.key_lookup import NO_DECRYPTOR, KeySource
from longshore.secrets.masking import Masker


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """What steps, run and load share: engine, images, limits, secrets, variables."""

    engine: str | None = None
    builder: str = "auto"
    run: RunOptions = field(default_factory=RunOptions)
    images: ImageOptions = field(default_factory=ImageOptions)
    env: Pairs = ()
    key_path: Path | None = None
    credentials: CredentialKeys = field(default_factory=CredentialKeys)
    user_credentials: bool = True


@asynccontextmanager
async def open_session(
    plan: Plan, options: SessionOptions, environment: Environment, masker: Masker, emit: Emit
) -> AsyncIterator[Setting]:
    """An engine and everything a run needs on it; what dead runs left is swept first.

    Raises EngineUnavailable when there is no engine.
    """
    choice = options.engine or environment.get("LONGSHORE_ENGINE") or "auto"
    locks = environment.state_directory / "runs"
    scope = RunScope(project=plan.directory, process=ProcessIdentity.of_this_process())
    async with open_engine(choice, environment, builder=options.builder) as engine:
        journals = environment.state_directory / "journals"
        with held_lock(locks, scope.id), journal(journals, scope.id) as keep:
            everybody = to_all(emit, lambda event: keep(masked(event, masker)))
            await _sweep(engine, Liveness(locks, scope.process), everybody)
            yield await _setting(plan, options, environment, masker, everybody, engine, scope)


async def _sweep(engine: Engine, liveness: Liveness, emit: Emit) -> None:
    count = await sweep(engine, liveness)
    if count:
        emit(Notice(text=f"removed {count} things that an interrupted run had left"))


async def _setting(
    plan: Plan,
    options: SessionOptions,
    environment: Environment,
    masker: Masker,
    emit: Emit,
    engine: Engine,
    scope: RunScope,
) -> Setting:
    info = await engine.info()
    files = ProjectFiles(
        _key_finder(options, environment, plan.directory), masker, lambda t: emit(Notice(text=t))
    )
    access = _docker(plan, environment, info.endpoint)

    return Setting(
        engine=engine,
        scope=scope,
        options=options.run,
        emit=emit,
        files=files,
        images=options.images,
        credentials=CredentialOptions(
            flags=options.credentials, user_login=options.user_credentials
        ),
        environment=environment,
        sources=Sources(
            files=files,
            host=environment.values,
            docker=access.variables,
            command_line=options.env,
        ),
        pusher=EnginePusher(engine),
        docker_mounts=access.mounts,
        mask=masker.feed,
        mask_end=masker.flush,
    )


def _docker(plan: Plan, environment: Environment, endpoint: str) -> DockerAccess:
    """Only asked when a service needs it: it may raise."""
    if any(service.add_docker for service in plan.services.values()):
        return docker_access(environment, endpoint)
    return DockerAccess(variables=(), mounts=())


def _key_finder(
    options: SessionOptions, environment: Environment, directory: Path
) -> Callable[[], AesKey]:
    source = KeySource(environment=environment, directory=directory, key_path=options.key_path)
    return cache(lambda: source.require(NO_DECRYPTOR))
