"""The reference page of the command line, made from what click parses; pure."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from longshore.cli.catalogue import COMMANDS
from longshore.cli.cobra import flag_rows, usage
from longshore.cli.exit_codes import ExitCode
from longshore.environment import VARIABLES
from longshore.plan.facts import fact_rows

_HEAD = """# The command line

<!-- Generated from the commands themselves; do not edit. -->

`longshore` and `jet` are the same program. Flags are written `--flag value`, `--flag=value`, and
`--flag` or `--flag=true|false` for those without a value; they may stand before and after other
arguments (of `run`, what follows the service's name and long flags behind it is the container's
command). `longshore COMMAND --help` shows what this page shows.
"""

_FACTS = """\
Every container of a step gets the variables, `image_tag` and build arguments may name the
fields; `--ci-from-scm` takes what it can from git or Mercurial. What nobody gives is not set at
all. `{{.Commit}}` is `{{.CommitID}}` under its former name; `{{.StepName}}`, `{{.ServiceName}}`
and `{{.ImageName}}` are those of the push step. Steps after a push step get the digest it
pushed as `LONGSHORE_DIGEST_NAME`, NAME being the step's in upper case with `_` for all but
letters and digits. on_fail steps get the name of the step that failed as `CI_FAILED_STEP`. In all
of these a step has the name of the file, with ` [SERVICE]` below a group with `services`, also
where the log numbers steps of one name.
"""

_MEANINGS = {
    ExitCode.PASSED: "success; skipped steps count as success",
    ExitCode.FAILED: "a step, build, pull or push failed",
    ExitCode.USAGE: "the command line or the files are wrong; nothing was started",
    ExitCode.BUG: "longshore itself failed; it prints what to report",
    ExitCode.NO_ENGINE: "no container engine answers",
    ExitCode.PROGRAM_FORBIDDEN: "of `run`: the program may not be executed, or is a directory",
    ExitCode.PROGRAM_MISSING: "of `run`: the image has no such program",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C or SIGTERM",
}


def cli_page(root: click.Group) -> str:
    """The whole page in Markdown."""
    parts = [_HEAD, "## Commands\n", *_overview()]
    for entry in COMMANDS:
        context = click.Context(root, info_name="longshore")
        command = root.get_command(context, entry.name)
        assert command is not None
        parts += _command(command, click.Context(command, info_name=entry.name, parent=context))
    return "\n".join([*parts, *_facts(), *_variables(), *_exit_codes()]) + "\n"


def _overview() -> Iterator[str]:
    yield from ("| | |", "|---|---|")
    for entry in COMMANDS:
        yield f"| [`{entry.name}`](#longshore-{entry.name}) | {_cell(entry.summary)} |"
    yield ""


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## `{context.command_path}`\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _command(child, click.Context(child, info_name=name, parent=context))
        return
    yield f"```text\n{usage(command, context)}\n```\n"
    rows = [row for row in flag_rows(command, context) if "--help" not in row[1]]
    if rows:
        yield from ("| Flag | Meaning |", "|---|---|")
        yield from (f"| `{_cell(left.strip())}` | {_cell(text)} |" for _, left, text in rows)
        yield ""


def _facts() -> Iterator[str]:
    yield "## What containers and templates are told\n"
    yield _FACTS
    yield from ("| Variable | Template field | Flag |", "|---|---|---|")
    for row in fact_rows():
        yield "| " + " | ".join(f"`{text}`" if text else "" for text in row) + " |"
    yield ""


def _variables() -> Iterator[str]:
    yield "## Environment variables\n"
    yield from ("| Variable | Meaning |", "|---|---|")
    yield from (f"| `{one.name}` | {_cell(one.meaning)} |" for one in VARIABLES)
    yield ""


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield from ("| | |", "|---|---|")
    for code, meaning in _MEANINGS.items():
        yield f"| {code.value} | {meaning} |"
    yield "\n`longshore run` ends with the exit code of its container, once that has started."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
