"""Parsed flags put together as the values that commands with an engine take.

Each imports its own command alone: they need very different things.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from longshore.cli.choices import Flags, credentials, facts, project_choice, selection
from longshore.cli.options import pairs
from longshore.cli.push_choices import push_settings, registries
from longshore.commands.session_options import SessionOptions
from longshore.config.words import split_command
from longshore.plan.facts import BuildFacts
from longshore.report.readers import LogFormat, LogOptions
from longshore.run.images import ImageOptions
from longshore.run.runtime import RunOptions

if TYPE_CHECKING:
    from longshore.commands.load import LoadRequest
    from longshore.commands.login_check import LoginCheckRequest
    from longshore.commands.run import RunRequest
    from longshore.commands.steps import StepsRequest


def session(flags: Flags, build: BuildFacts) -> SessionOptions:
    """Engine, limits, secrets and variables for what is known of `build`."""
    return SessionOptions(
        engine=flags["engine"],
        builder=flags["builder"],
        run=run_options(flags),
        images=ImageOptions(
            no_cache=flags["no_cache"],
            pull_if_present=flags["pull_if_present"],
            build_secrets=flags["build_secrets"],
            show_output=not flags.get("no_print_build_output", False),
        ),
        env=pairs(flags.get("env", ())),
        key_path=Path(flags["key_path"]) if flags["key_path"] else None,
        credentials=credentials(flags),
        user_credentials=not flags["no_user_credentials"],
        registries=registries(flags),
        cache_registry=flags["cache_registry"] or None,
        # The branch that is built, else what the steps are matched against.
        cache_branch=build.branch or flags.get("tag") or None,
        push=push_settings(flags),
    )


def run_options(flags: Flags) -> RunOptions:
    """Limits and what happens to containers."""
    return RunOptions(
        max_parallel=1 if flags.get("no_parallel") else flags.get("max_parallel"),
        fail_fast=flags.get("fail_fast", False),
        eager_push=flags.get("eager_push", False),
        keep_containers=flags.get("no_remove", False),
        keep_volumes=flags.get("keep_volumes", False),
        grace=flags.get("stop_grace", 10.0),
        health_timeout=flags.get("health_timeout", 3600.0),
        timeout=flags.get("timeout"),
        step_timeout=flags.get("step_timeout"),
        quiet_timeout=flags.get("quiet_timeout"),
    )


def log(flags: Flags) -> LogOptions:
    """How the run is shown."""
    return LogOptions(
        format=LogFormat(flags["log_format"]),
        timestamps=flags["timestamps"],
        verbose=flags["debug"],
        dependencies=not flags.get("no_print_dependency_output", False),
    )


def steps(flags: Flags) -> StepsRequest:
    """All of ``longshore steps``."""
    from longshore.commands.steps import StepsRequest

    build = facts(flags)
    return StepsRequest(
        project=project_choice(flags),
        facts=build,
        selection=selection(flags),
        session=session(flags, build),
        log=log(flags),
    )


def run(flags: Flags, *, interactive: bool) -> RunRequest:
    """All of ``longshore run``; a terminal only when there is one on both sides (C-13)."""
    from longshore.commands.run import RunRequest

    build = facts(flags)
    entrypoint = flags["entrypoint"]
    command = tuple(flags["command"])
    return RunRequest(
        project=project_choice(flags),
        facts=build,
        session=session(flags, build),
        service=flags["service"],
        command=command[1:] if command[:1] == ("--",) else command,
        entrypoint=None if entrypoint is None else split_command(entrypoint),
        tty=interactive and not flags["no_tty"],
        publish=flags["publish"],
        log=log(flags),
    )


def load(flags: Flags) -> LoadRequest:
    """All of ``longshore load``."""
    from longshore.commands.load import LoadRequest

    build = facts(flags)
    return LoadRequest(
        project=project_choice(flags),
        facts=build,
        session=session(flags, build),
        services=tuple(flags["services"]),
        log=log(flags),
    )


def login_check(flags: Flags) -> LoginCheckRequest:
    """All of ``longshore login-check``; push steps count without --push, too."""
    from longshore.commands.login_check import LoginCheckRequest

    build = facts(flags)
    return LoginCheckRequest(
        project=project_choice(flags),
        facts=build,
        selection=replace(selection(flags), push=True),
        session=session(flags, build),
    )
