"""``longshore cleanup``."""

from __future__ import annotations

import click

from longshore.cli.cobra import CobraCommand
from longshore.cli.options import flag, text


@click.command(cls=CobraCommand, name="cleanup")
@flag("--dry-run", help="only print what would be removed")
@flag("--legacy", help="also remove containers named jet-… that the original left")
@flag("--debug", help="accepted for the original's sake", hidden=True, expose_value=False)
@text("--engine", "auto, docker, embedded, or an address (default auto)")
def cleanup(dry_run: bool, legacy: bool, engine: str | None) -> int:
    """Remove the containers, networks and volumes that interrupted runs left behind.

    Runs that are still alive are not touched. Images are kept.
    """
    from longshore.cli import terminal
    from longshore.commands.cleanup import cleanup as run_cleanup
    from longshore.environment import Environment

    return run_cleanup(
        Environment.of_process(),
        terminal.sink(),
        engine=engine,
        dry_run=dry_run,
        legacy=legacy,
    )
