"""``longshore env SERVICE``: which variables a service would get, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator

from longshore.commands.project import ProjectChoice, planned
from longshore.commands.run import check_service
from longshore.config.model import Pairs
from longshore.environment import Environment
from longshore.plan.facts import BuildFacts
from longshore.plan.model import Plan, ServicePlan
from longshore.plan.selection import Selection
from longshore.report.printable import printable
from longshore.report.sink import Sink
from longshore.run.docker_access import docker_access
from longshore.run.files import ProjectFiles
from longshore.run.variables import merged
from longshore.secrets.key_lookup import NO_DECRYPTOR, KeySource
from longshore.secrets.masking import Masker


def show_env(
    project: ProjectChoice,
    facts: BuildFacts,
    *,
    service: str,
    command_line: Pairs,
    keys: KeySource,
    reveal: bool,
    environment: Environment,
    sink: Sink,
) -> int:
    """Print one line a variable: its name, with `reveal` its value, and its source.

    Variables of the image itself and of links need an engine to be known and are not listed.
    """
    plan = planned(project, facts, Selection(), sink, need_steps=False)
    if plan is None:
        return 2
    check_service(plan, service)
    files = ProjectFiles(
        lambda: keys.require(NO_DECRYPTOR), Masker(), lambda text: sink.tell(f"{printable(text)}\n")
    )
    sources: dict[str, str] = {}
    layers = list(_layers(plan, plan.services[service], files, environment, command_line))
    for origin, pairs in layers:
        sources |= {name: origin for name, _ in merged([pairs], environment.values)}
    for name, value in merged([pairs for _, pairs in layers], environment.values):
        shown = f"{name}={value}" if reveal else printable(files.masker.mask_text(name))
        sink.write(f"{shown}\t{printable(sources[name])}\n")
    return 0


def _layers(
    plan: Plan,
    service: ServicePlan,
    files: ProjectFiles,
    environment: Environment,
    command_line: Pairs,
) -> Iterator[tuple[str, Pairs]]:
    """Every source with its name, weakest first (S-25)."""
    yield "CI variables", plan.variables
    if service.add_docker:
        yield "add_docker", docker_access(environment).variables
    yield "environment", service.environment
    for path in service.env_files:
        yield f"env_file {path.name}", files.env_file(path)
    name = f'encrypted_environment of service "{service.name}"'
    yield "encrypted_environment", files.encrypted_pairs(service.encrypted_environment, name)
    for path in service.encrypted_env_files:
        yield f"encrypted_env_file {path.name}", files.encrypted_env_file(path)
    yield "-e", command_line
