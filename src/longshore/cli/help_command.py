"""``longshore help [COMMAND]``."""

from __future__ import annotations

import click

from longshore.cli.cobra import CobraCommand


@click.command(cls=CobraCommand, name="help")
@click.argument("command", required=False)
@click.pass_context
def help(ctx: click.Context, command: str | None) -> None:  # noqa: A001  # the command's name
    """Help about any command."""
    root = ctx.find_root()
    if command is None:
        click.echo(root.get_help())
        return
    group = root.command
    assert isinstance(group, click.Group)
    _, found, _ = group.resolve_command(root, [command])
    assert found is not None
    click.echo(found.get_help(click.Context(found, info_name=command, parent=root)))
