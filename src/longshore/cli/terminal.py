"""The process's own streams, and what they can show."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from longshore.cli.exit_codes import ExitCode
from longshore.cli.streams import unblocking
from longshore.environment import Environment
from longshore.errors import UsageError
from longshore.report.sink import Sink
from longshore.report.style import Style

if TYPE_CHECKING:
    from longshore.report.diagnostics import Terminal
    from longshore.secrets.atomic_file import StandardStreams


def sink() -> Sink:
    """Standard output and standard error of this process."""
    sys.stdout.flush()
    terminal = sys.stderr.isatty()
    return Sink(
        unblocking(sys.stdout.buffer),
        unblocking(sys.stderr.buffer),
        err_terminal=terminal,
        err_colours=terminal and _may_colour(Environment.of_process()),
    )


def standard_streams() -> StandardStreams:
    """Where ``-`` reads from and writes to."""
    from longshore.secrets.atomic_file import StandardStreams

    return StandardStreams(stdin=sys.stdin.buffer, stdout=sys.stdout.buffer)


def style(environment: Environment) -> Style:
    """Colours on terminals that have them and never with NO_COLOR; marks as the locale allows
    (C-29)."""
    return Style(
        colour=sys.stdout.isatty() and _may_colour(environment),
        unicode="utf" in _locale(environment).lower(),
    )


def _may_colour(environment: Environment) -> bool:
    """A ``dumb`` terminal (terminfo(5)), as editors have, shows colours as rubbish."""
    return environment.get("NO_COLOR") is None and environment.get("TERM") != "dumb"


def _locale(environment: Environment) -> str:
    """The locale of characters, by POSIX (8.2); where nothing is chosen it is Python's (PEP 538).

    Not the encoding of standard output: in the C locale Python writes UTF-8 (PEP 540).
    """
    chosen = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return next(filter(None, chosen), "C.UTF-8")


def of_problems(environment: Environment) -> Terminal:
    """What problems on standard output may look like."""
    from longshore.report.diagnostics import Terminal

    return Terminal(excerpts=sys.stdout.isatty(), colours=style(environment).colour)


def confirmation(*, yes: bool) -> Callable[[str], bool]:
    """Asks the user; `yes` answers for them. Raises UsageError when nobody can be asked."""

    def confirm(question: str) -> bool:
        if yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked", hint="use --yes to agree beforehand")
        return click.confirm(question, err=True)

    return confirm


def leave_at_once() -> None:
    """End the process without waiting for anything (a second Ctrl-C)."""
    os._exit(ExitCode.INTERRUPTED)


def is_interactive() -> bool:
    """Whether a person sits at both ends of us."""
    return sys.stdin.isatty() and sys.stdout.isatty()
