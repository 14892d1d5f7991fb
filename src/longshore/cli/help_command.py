"""``longshore help [COMMAND]``."""

from __future__ import annotations

import click

from longshore.cli.cobra import CobraCommand
from longshore.errors import UsageError


@click.command(cls=CobraCommand, name="help")
@click.argument("command", nargs=-1, metavar="[COMMAND]")
@click.pass_context
def help(ctx: click.Context, command: tuple[str, ...]) -> None:  # noqa: A001  # the command's name
    """Help about any command."""
    found = ctx.find_root()
    for word in command:
        group = found.command
        if not isinstance(group, click.Group):
            raise UsageError(f'"{found.command_path}" has no commands of its own')
        _, child, _ = group.resolve_command(found, [word])
        assert child is not None
        found = click.Context(child, info_name=word, parent=found)
    click.echo(found.command.get_help(found))
