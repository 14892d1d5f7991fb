"""A service of the plan as a container to create; pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from longshore.engine.spec import ContainerSpec, Mount, NetworkAttachment
from longshore.plan.model import Plan, ServicePlan


class Extra(Struct, frozen=True, kw_only=True):
    """What a use of a service adds to what its file says."""

    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    mounts: tuple[Mount, ...] = ()
    ports: tuple[str, ...] = ()
    tty: bool = False
    stdin: bool = False


def container_spec(
    service: ServicePlan,
    *,
    name: str,
    image: str,
    labels: dict[str, str],
    environment: tuple[tuple[str, str], ...],
    network: NetworkAttachment | None,
    volumes_from: tuple[str, ...],
    extra: Extra,
    keep_log: bool,
) -> ContainerSpec:
    """The container of `service`. A given command replaces the service's own (S-14, S-15)."""
    entrypoint = service.entrypoint if extra.entrypoint is None else extra.entrypoint
    spec = ContainerSpec(
        name=name,
        image=image,
        command=service.command if extra.command is None else extra.command,
        entrypoint=entrypoint,
        environment=environment,
        working_dir=service.working_dir,
        hostname=service.hostname,
        mounts=(*service.mounts, *extra.mounts),
        volumes_from=volumes_from,
        network=network,
        labels=labels,
        limits=service.limits,
        keep_log=keep_log,
    )
    return replace(spec, tty=extra.tty, stdin=extra.stdin, ports=extra.ports)


def aliases(service: str, plan: Plan, started: Iterable[str]) -> tuple[str, ...]:
    """The names `service` answers to on a step's network: its own, in lower case too (Q-34), and
    every alias that a service of the step links it under (S-31)."""
    names = [service, service.lower()]
    for other in started:
        for dependency in plan.services[other].dependencies:
            if dependency.service == service:
                names += dependency.aliases
    return tuple(dict.fromkeys(names))
