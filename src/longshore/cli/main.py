"""The entry point of ``longshore`` and ``jet``: arguments in, exit code out, nothing uncaught."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

import click

from longshore.cli.cobra import CobraGroup
from longshore.cli.exit_codes import ExitCode, exit_code_of
from longshore.errors import LongshoreError


@click.group(
    cls=CobraGroup,
    name="longshore",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.pass_context
def longshore(ctx: click.Context) -> None:
    """Run CodeShip Pro pipelines and push the images that passed."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    sys.exit(guarded(_run))


def _run() -> object:
    result = longshore.main(prog_name=_program(), standalone_mode=False)
    sys.stdout.flush()
    return result


def guarded(work: Callable[[], object]) -> int:
    """Run a command; every way it can end becomes an exit code and at most one message."""
    try:
        result = work()
    except LongshoreError as error:
        return _told(error)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return _usage(error)
    except (KeyboardInterrupt, click.Abort):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    except BaseExceptionGroup as group:
        return _group(group)
    except Exception as bug:  # noqa: BLE001  # the boundary: what is left is a bug of ours
        return _bug(bug)
    return result if isinstance(result, int) else ExitCode.PASSED


def _told(error: LongshoreError) -> int:
    print(f"Error: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)
    return exit_code_of(error)


def _usage(error: click.ClickException) -> int:
    print(f"Error: {error.format_message()}", file=sys.stderr)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        path = error.ctx.command_path
        print(f'hint: use "{path} --help" for its flags', file=sys.stderr)
    return ExitCode.USAGE


def _group(group: BaseExceptionGroup[BaseException]) -> int:
    """What a task group let through: an error of ours in it is told, anything else is a bug."""
    told, rest = group.split(LongshoreError)
    if told is not None and rest is None:
        return _told(_first(told))
    if group.subgroup(KeyboardInterrupt) is not None:
        return ExitCode.INTERRUPTED
    return _bug(group)


def _first(group: BaseExceptionGroup[LongshoreError]) -> LongshoreError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _reader_left() -> int:
    """Whoever read our output is gone; the interpreter must not complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED


def _bug(bug: BaseException) -> int:
    from longshore.cli.bug_report import bug_report

    words: list[str] = []
    with suppress(Exception):  # asking the commands may meet the same bug
        words = _words_that_are_ours(sys.argv[1:])
    print(bug_report(bug, words), file=sys.stderr)
    return ExitCode.BUG


def _words_that_are_ours(arguments: Sequence[str]) -> list[str]:
    """The command and the names of its flags: everything else is somebody's value."""
    ctx = click.Context(longshore, info_name="longshore")
    known: set[str] = set()
    shown: list[str] = []
    for word in arguments:
        name = word.partition("=")[0]
        command = longshore.get_command(ctx, word) if not shown else None
        if command is not None:
            known = {name for option in command.get_params(ctx) for name in option.opts}
            shown.append(word)
        elif name in known and name.startswith("-"):
            shown.append(name)
    return shown


def _program() -> str:
    name = os.path.basename(sys.argv[0])  # noqa: PTH119  # pathlib costs 10 ms at start-up
    return name if name in ("longshore", "jet") else "longshore"
