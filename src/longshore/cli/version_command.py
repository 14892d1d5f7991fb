"""``longshore version`` and ``longshore update``."""

from __future__ import annotations

import click

from longshore import __version__
from longshore.cli.cobra import CobraCommand
from longshore.cli.options import flag


@click.command(cls=CobraCommand, name="version")
def version() -> None:
    """Display the longshore version."""
    click.echo(__version__)


@click.command(cls=CobraCommand, name="update")
@flag("--dry-run", help="only tell")
def update(dry_run: bool) -> None:
    """Tell how to upgrade; longshore does not replace itself."""
    click.echo(f"Running version {__version__}.")
    # No name of a package: the one on the public index is somebody else's.
    click.echo("To upgrade: fetch the newest source, and in its directory: pipx install --force .")
