"""The environment of a container, put together in the order of spec S-25."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from longshore.config.model import EncryptedValues, Pairs
from longshore.engine.spec import ImageInfo
from longshore.plan.model import Plan, ServicePlan
from longshore.run.links import link_variables


class Files(Protocol):
    """Reads env files and encrypted texts of a project; a `LongshoreError` names the file."""

    def env_file(self, path: Path) -> Pairs:
        """A plain env file (S-22)."""
        ...

    def encrypted_env_file(self, path: Path) -> Pairs:
        """An encrypted env file; its values are masked from now on."""
        ...

    def encrypted_pairs(self, values: EncryptedValues, name: str) -> Pairs:
        """``encrypted_environment``: each value, or one text of ``K=V`` lines (S-23)."""
        ...


class Sources(Struct, frozen=True, kw_only=True):
    """Where variables come from: files, our own environment (S-20), docker's (S-48), ``-e``."""

    files: Files
    host: Mapping[str, str]
    docker: tuple[tuple[str, str], ...] = ()
    command_line: Pairs = ()


def environment(
    service: ServicePlan, plan: Plan, images: Mapping[str, ImageInfo], sources: Sources
) -> tuple[tuple[str, str], ...]:
    """What the container of `service` gets, later sources winning (S-25, S-26)."""
    layers: list[Pairs] = [
        tuple(_links(service, plan, images, sources)),
        plan.variables,
        sources.docker if service.add_docker else (),
        *own_layers(service, sources.files),
        sources.command_line,
    ]
    return merged(layers, sources.host)


def own_layers(service: ServicePlan, files: Files) -> list[Pairs]:
    """The four sources a service's own keys name, weakest first (S-24, S-25)."""
    return [
        service.environment,
        *(files.env_file(path) for path in service.env_files),
        files.encrypted_pairs(
            service.encrypted_environment, f'encrypted_environment of service "{service.name}"'
        ),
        *(files.encrypted_env_file(path) for path in service.encrypted_env_files),
    ]


def merged(layers: Iterable[Pairs], host: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """One value a name; a name without a value takes the host's, or is left out (S-20)."""
    result: dict[str, str] = {}
    for layer in layers:
        for name, value in layer:
            chosen = host.get(name) if value is None else value
            if chosen is not None:
                result[name] = chosen
    return tuple(result.items())


def _links(
    service: ServicePlan, plan: Plan, images: Mapping[str, ImageInfo], sources: Sources
) -> Iterable[tuple[str, str]]:
    for dependency in service.dependencies:
        linked = plan.services[dependency.service]
        own = merged([linked.environment], sources.host)
        for alias in dependency.aliases:
            yield from link_variables(service.name, alias, images[linked.image], own)
