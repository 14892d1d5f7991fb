"""``longshore login-check``: the command line of it."""

from __future__ import annotations

from typing import Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand


@click.command(cls=CobraCommand, name="login-check")
@options.project_flags
@options.steps_path
@options.selection_flags
@options.ci_flags
@options.secret_flags
@options.engine_flags
@options.registry_flags
@options.accepted(options.flags_of_steps)
def login_check(**flags: Any) -> int:
    """Try every registry credential the plan needs, before anything is built.

    Nothing is run, and push steps count without `--push`. Takes all flags of `steps` but `--list`;
    those that have nothing to do with credentials have no effect.
    """
    from longshore.cli import requests, terminal
    from longshore.commands.login_check import login_check as run_login_check
    from longshore.environment import Environment

    environment = Environment.of_process()
    return run_login_check(
        requests.login_check(flags), environment, terminal.sink(), terminal.style(environment)
    )
