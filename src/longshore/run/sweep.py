"""Finding and removing what dead runs left on the engine (spec 7.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from longshore.engine.port import Engine
from longshore.engine.spec import Resource, ResourceKind
from longshore.errors import EngineError, EngineUnavailable
from longshore.run.liveness import Liveness
from longshore.run.scope import KEPT_LABEL, OWNER, OWNER_LABEL, RUN_LABEL

_ORDER = (ResourceKind.CONTAINER, ResourceKind.NETWORK, ResourceKind.VOLUME)


async def leftovers(engine: Engine, liveness: Liveness) -> tuple[Resource, ...]:
    """Labelled things whose run is dead, in the order in which they can be removed."""
    found = await engine.resources({OWNER_LABEL: OWNER})
    alive: dict[str, bool] = {}
    dead = []
    for resource in found:
        run = resource.labels.get(RUN_LABEL, "")
        if run not in alive:
            alive[run] = liveness.is_alive(run, resource.labels)
        if not alive[run]:
            dead.append(resource)
    return tuple(sorted(dead, key=lambda resource: _ORDER.index(resource.kind)))


async def remove_all(
    engine: Engine, resources: Iterable[Resource], removed: Callable[[Resource], None]
) -> list[tuple[Resource, EngineError]]:
    """Remove `resources` one after the other, telling of each; what could not be, with the reason.

    Something that others use by now (a network a stranger has joined) keeps nothing else here.
    """
    kept: list[tuple[Resource, EngineError]] = []
    for resource in resources:
        try:
            await _remove(engine, resource)
        except EngineUnavailable:
            raise
        except EngineError as reason:
            kept.append((resource, reason))
        else:
            removed(resource)
    return kept


async def _remove(engine: Engine, resource: Resource) -> None:
    match resource.kind:
        case ResourceKind.CONTAINER:
            await engine.remove(resource.id)
        case ResourceKind.NETWORK:
            await engine.remove_network(resource.id)
        case ResourceKind.VOLUME:
            await engine.remove_volume(resource.id)


async def sweep(engine: Engine, liveness: Liveness) -> int:
    """Remove what dead runs left, not what they were to keep; returns how many things went.

    What cannot be removed is left to `longshore cleanup`, which says why.
    """
    found = await leftovers(engine, liveness)
    dead = [resource for resource in found if KEPT_LABEL not in resource.labels]
    kept = await remove_all(engine, dead, lambda _: None)
    stays = [*(r for r in found if KEPT_LABEL in r.labels), *(resource for resource, _ in kept)]
    liveness.forget_all(but=runs_of(stays))
    return len(dead) - len(kept)


def runs_of(resources: Iterable[Resource]) -> set[str]:
    """The runs that made them."""
    return {resource.labels.get(RUN_LABEL, "") for resource in resources}
