"""``longshore run``: the command line of it."""

from __future__ import annotations

from typing import Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand


class RunCommand(CobraCommand):
    """Flags end at the first word that is none (C-14): ``run app ls -la`` needs no ``--``.

    Known long flags directly after SERVICE still count, as the documented synopsis has them last.
    """

    allow_interspersed_args = False
    stops_at_first_word = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move known long flags that follow SERVICE in front of it."""
        return super().parse_args(ctx, self._flags_first(ctx, args))

    def _flags_first(self, ctx: click.Context, args: list[str]) -> list[str]:
        taking = self._taking_values(ctx)
        position = _skip_flags(args, 0, taking)
        if position >= len(args) or args[position] == "--":
            return args
        end = _skip_flags(args, position + 1, taking, long_only=True)
        return [*args[:position], *args[position + 1 : end], args[position], *args[end:]]

    def _taking_values(self, ctx: click.Context) -> dict[str, bool]:
        """Every flag, and whether it takes a value."""
        return {
            name: not parameter.is_flag
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            for name in parameter.opts
        }


def _skip_flags(
    args: list[str], start: int, taking: dict[str, bool], *, long_only: bool = False
) -> int:
    """The position of the first word from `start` on that is no known flag or a flag's value."""
    position = start
    while position < len(args):
        name, equals, _ = args[position].partition("=")
        if name not in taking or (long_only and not name.startswith("--")):
            break
        position += 1 if equals or not taking[name] else 2
    return position


@click.command(cls=RunCommand, name="run")
@options.project_flags
@options.ci_flags
@options.secret_flags
@options.engine_flags
@options.container_flags
@options.log_flags
@options.build_output_flag
@options.text("--entrypoint", "override the image's entrypoint")
@options.flag("--publish", help="publish the ports of the service")
@options.legacy_flags
@click.argument("service")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def run(**flags: Any) -> int:
    """Run a command inside a container of a service, with its dependencies.

    Without a command the service's own is run. The exit code is that of the container.

    On a terminal Ctrl-C goes to the container, whose program may ignore it: three times within a
    second stops the run.
    """
    from longshore.cli import requests, terminal
    from longshore.commands.run import run as run_command
    from longshore.environment import Environment

    environment = Environment.of_process()
    return run_command(
        requests.run(flags, interactive=terminal.is_interactive()),
        environment,
        terminal.sink(),
        terminal.style(environment),
        terminal.leave_at_once,
    )
