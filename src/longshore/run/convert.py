"""A service of the plan as a container to create; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from longshore.engine.spec import ContainerSpec, Limits, Mount, NetworkAttachment
from longshore.plan.model import Plan, ServicePlan

_HOST: Final = re.compile(r"[a-zA-Z0-9_.-]+")
"""What can stand in a line of /etc/hosts; an engine refuses a colon."""


class Extra(Struct, frozen=True, kw_only=True):
    """What a use of a service adds to what its file says."""

    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    mounts: tuple[Mount, ...] = ()
    ports: tuple[str, ...] = ()
    tty: bool = False
    terminal_size: tuple[int, int] | None = None
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
    return ContainerSpec(
        name=name,
        image=image,
        command=service.command if extra.command is None else extra.command,
        entrypoint=service.entrypoint if extra.entrypoint is None else extra.entrypoint,
        environment=environment,
        working_dir=service.working_dir,
        hostname=service.hostname,
        mounts=(*service.mounts, *extra.mounts),
        volumes_from=volumes_from,
        network=network,
        labels=labels,
        limits=service.limits if network else _finding_itself(service),
        keep_log=keep_log,
        tty=extra.tty,
        terminal_size=extra.terminal_size,
        stdin=extra.stdin,
        ports=extra.ports,
    )


def _finding_itself(service: ServicePlan) -> Limits:
    """The limits of a container without a network of its step's, on which it would have its names
    (S-33, Q-34): they stand in its hosts file, unless the user has said what they mean."""
    limits = service.limits
    taken = {service.hostname, *(host.partition(":")[0] for host in limits.extra_hosts)}
    names = {service.name: None, service.name.lower(): None}
    own = (f"{name}:127.0.0.1" for name in names if name not in taken and _HOST.fullmatch(name))
    return replace(limits, extra_hosts=(*limits.extra_hosts, *own))


def aliases(service: str, plan: Plan, started: Iterable[str]) -> tuple[str, ...]:
    """The names `service` answers to on a step's network: its own, in lower case too (Q-34), and
    every alias that a service of the step links it under (S-31)."""
    names = [service, service.lower()]
    for other in started:
        for dependency in plan.services[other].dependencies:
            if dependency.service == service:
                names += dependency.aliases
    return tuple(dict.fromkeys(names))
