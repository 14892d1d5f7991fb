"""The entry point of ``longshore`` and ``jet``: arguments in, exit code out, nothing uncaught."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NoReturn, TypeVar

import click

from longshore.cli.cobra import CobraGroup
from longshore.cli.entry import end_silently, take_over
from longshore.cli.exit_codes import ExitCode, exit_code_of
from longshore.cli.streams import (
    is_lost_directory,
    is_lost_output,
    is_want_of_threads,
    open_missing,
    say,
    told_lost_output,
)
from longshore.errors import LongshoreError, UsageError

Failure = TypeVar("Failure", bound=BaseException)


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
    open_missing()
    code = guarded(_run)
    end_silently()
    # An interpreter that ends looks through all there is for cycles, several times: 30 ms.
    gc.freeze()
    sys.exit(code)


def _run() -> object:
    take_over()
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
    except BaseExceptionGroup as group:
        return _group(group)
    except Exception as bug:  # noqa: BLE001  # the boundary: what is left is a bug of ours
        return _unforeseen(bug)
    return result if isinstance(result, int) else ExitCode.PASSED


def _unforeseen(error: Exception) -> int:
    """What lies outside of us has a sentence of its own."""
    if is_lost_output(error):
        return _output_lost(error)
    if is_want_of_threads(error):
        return _no_threads()
    if isinstance(error, FileNotFoundError) and is_lost_directory():
        return _told(UsageError("the current directory is gone", hint="change to one that exists"))
    return _bug(error)


def _told(*errors: LongshoreError) -> int:
    """The exit code is that of the first. What files, registries and engines say may hold more
    than text."""
    from longshore.report.printable import printable_lines

    told: set[str] = set()
    for error in errors:
        if error.message in told:
            continue
        told.add(error.message)
        say(printable_lines(f"Error: {error.message}"))
        if error.hint:
            say(printable_lines(f"hint: {error.hint}"))
    return exit_code_of(errors[0])


def _usage(error: click.ClickException) -> int:
    from longshore.cli.usage_errors import explained

    message, hint = explained(error)
    return _told(UsageError(message, hint=hint))


def _group(group: BaseExceptionGroup[BaseException]) -> int:
    """What a task group let through: errors of ours in it are told, anything else is a bug."""
    told, rest = group.split(LongshoreError)
    if told is not None and rest is None:
        return _told(*_leaves(told))
    lost, rest = (rest or group).split(is_lost_output)
    if lost is not None and rest is None:
        return _output_lost(next(_leaves(lost)))
    if group.subgroup(KeyboardInterrupt) is not None:
        return ExitCode.INTERRUPTED
    if group.subgroup(is_want_of_threads) is not None:
        return _no_threads()
    return _bug(group)


def _leaves(group: BaseExceptionGroup[Failure]) -> Iterator[Failure]:
    for inner in group.exceptions:
        if isinstance(inner, BaseExceptionGroup):
            yield from _leaves(inner)
        else:
            yield inner


def _output_lost(error: BaseException) -> int:
    told_lost_output(error)
    return ExitCode.FAILED


def _no_threads() -> int:
    say("Error: the system gives this process no further thread")
    say("hint: raise its limit of processes: ulimit -u, or that of the container or pod")
    return ExitCode.FAILED


def _bug(bug: BaseException) -> int:
    from longshore.cli.bug_report import bug_report

    words: list[str] = []
    with suppress(Exception):  # asking the commands may meet the same bug
        words = _words_that_are_ours(sys.argv[1:])
    say(bug_report(bug, words))
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
