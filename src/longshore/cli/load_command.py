"""``longshore load``: the command line of it."""

from __future__ import annotations

from typing import Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand
from longshore.cli.legacy_flags import legacy_flags


@click.command(cls=CobraCommand, name="load")
@options.project_flags
@options.ci_flags
@options.secret_flags
@options.engine_flags
@options.log_flags
@options.build_output_flag
@options.flag("--no-remove", help="keep containers, networks and volumes")
@legacy_flags
@click.argument("services", nargs=-1)
def load(**flags: Any) -> int:
    """Pull or build the images of services (all of them when none is named); run nothing."""
    from longshore.cli import requests, terminal
    from longshore.commands.load import load as load_command
    from longshore.environment import Environment

    environment = Environment.of_process()
    return load_command(
        requests.load(flags),
        environment,
        terminal.sink(),
        terminal.style(environment),
        terminal.leave_at_once,
    )
