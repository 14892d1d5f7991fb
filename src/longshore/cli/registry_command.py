"""``longshore registry serve``."""

from __future__ import annotations

from pathlib import Path

import click

from longshore.cli.cobra import CobraCommand, CobraParent
from longshore.cli.options import flag, text
from longshore.cli.values import Whole


@click.group(cls=CobraParent, name="registry", invoke_without_command=True)
@click.pass_context
def registry(ctx: click.Context) -> None:
    """Serve a development registry."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@registry.command(cls=CobraCommand, name="serve")
@click.option(
    "--port",
    type=Whole(0, 65535),
    metavar="int",
    default=5000,
    help="port to listen on; 0 takes a free one (default 5000)",
)
@text("--host", "address to listen on (default 127.0.0.1)", default="127.0.0.1")
@text("--dir", "keep the content in this directory (default: in memory)")
@flag("--allow-remote", help="let others reach it; it has no authentication")
def serve(port: int, host: str, dir: str | None, allow_remote: bool) -> int:  # noqa: A002  # the flag
    """Serve a registry for development; every write is verified.

    It prints its address on standard output when it is ready.
    """
    from longshore.cli import terminal
    from longshore.commands.registry import serve_registry

    return serve_registry(
        terminal.sink(),
        host=host,
        port=port,
        directory=None if dir is None else Path(dir),
        allow_remote=allow_remote,
    )
