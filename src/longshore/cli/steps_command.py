"""``longshore steps``: the command line of it."""

from __future__ import annotations

from typing import Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand


@click.command(cls=CobraCommand, name="steps")
@options.project_flags
@options.steps_path
@options.selection_flags
@options.ci_flags
@options.secret_flags
@options.engine_flags
@options.registry_flags
@options.flags_of_steps
@options.flag("--list", help="only print the steps that would run, and why others would not")
def steps(**flags: Any) -> int:
    """Build and pull what the steps need, run them, and push what passed.

    Push steps run with --push, steps with a tag when --tag matches it.
    """
    if flags["list"]:
        from longshore.cli.plan_command import show

        return show(flags, "text")
    from longshore.cli import requests, terminal
    from longshore.commands.steps import run_steps
    from longshore.environment import Environment

    environment = Environment.of_process()
    return run_steps(
        requests.steps(flags),
        environment,
        terminal.sink(),
        terminal.style(environment),
        terminal.leave_at_once,
    )
