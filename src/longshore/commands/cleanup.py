"""``longshore cleanup``: what dead runs left on the engine (spec C-18, C-24)."""

from __future__ import annotations

import anyio

from longshore.engine.opening import open_engine
from longshore.engine.port import Engine
from longshore.engine.spec import Resource
from longshore.environment import Environment
from longshore.report.sink import Sink
from longshore.run.liveness import Liveness, ProcessIdentity
from longshore.run.scope import OWNER_LABEL
from longshore.run.sweep import leftovers, remove_all, runs_of

_PREFIX = "jet-"


def cleanup(
    environment: Environment, sink: Sink, *, engine: str | None, dry_run: bool, legacy: bool
) -> int:
    """Remove (or, with `dry_run`, name) what dead runs left; living runs are never touched.

    `legacy`: also containers named ``jet-…`` that carry none of our labels.
    """
    return anyio.run(_cleanup, environment, sink, engine, dry_run, legacy)


async def _cleanup(
    environment: Environment, sink: Sink, choice: str | None, dry_run: bool, legacy: bool
) -> int:
    liveness = Liveness(environment.state_directory / "runs", ProcessIdentity.of_this_process())
    async with open_engine(choice, environment) as engine:
        found = await leftovers(engine, liveness)
        if legacy:
            found = (*found, *await _unlabelled(engine))
        if dry_run:
            for resource in found:
                sink.write(f'Would remove {resource.kind} "{resource.name}"\n')
            return 0
        kept = await remove_all(engine, found, lambda resource: _tell(sink, resource))
    liveness.forget_all(but=runs_of(resource for resource, _ in kept))
    for resource, reason in kept:
        sink.write(f'Could not remove {resource.kind} "{resource.name}": {reason.message}\n')
    return 1 if kept else 0


async def _unlabelled(engine: Engine) -> tuple[Resource, ...]:
    named = await engine.containers_named(_PREFIX)
    return tuple(resource for resource in named if OWNER_LABEL not in resource.labels)


def _tell(sink: Sink, resource: Resource) -> None:
    sink.write(f'Removed {resource.kind} "{resource.name}"\n')
