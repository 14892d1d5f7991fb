"""``longshore run``: the command line of it."""

from __future__ import annotations

from typing import Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand
from longshore.cli.go_flags import Options, takes_next
from longshore.cli.legacy_flags import legacy_flags


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
        known = self.options(ctx)
        position = _skip_flags(args, 0, known)
        if position >= len(args) or args[position] == "--":
            return args
        end = _skip_flags(args, position + 1, known, long_only=True)
        flags = [*args[:position], *args[position + 1 : end]]
        # Else SERVICE would be the value that the last of them lacks.
        return flags if end > len(args) else [*flags, args[position], *args[end:]]


def _skip_flags(args: list[str], start: int, known: Options, *, long_only: bool = False) -> int:
    """The position of the first word from `start` on that is no known flag or a flag's value;
    behind the end when a value is missing."""
    position = start
    while position < len(args):
        takes = takes_next(args[position], known)
        if takes is None or (long_only and not args[position].startswith("--")):
            break
        position += 2 if takes else 1
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
@legacy_flags
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
