"""``longshore validate``: the command line of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand
from longshore.cli.values import OneOf


@click.command(cls=CobraCommand, name="validate")
@options.project_flags
@options.steps_path
@options.ci_flags
@options.key_path
@click.option(
    "--format",
    "shape",
    type=OneOf(["text", "json", "github", "sarif"]),
    default="text",
    help="text (default), json, github (annotations of GitHub Actions) or sarif (code scanners)",
)
@options.flag("--strict", help="take warnings for errors")
@options.flag("--fix", help="rewrite deprecated keys in place; shows the changes and asks first")
@options.flag("--yes", "-y", "yes", help="let --fix change the file without asking")
@options.flag("--debug", help="accepted for the original's sake", hidden=True, expose_value=False)
def validate(**flags: Any) -> int:
    """Validate codeship-services.yml and codeship-steps.yml files, without an engine.

    All problems are printed as path:line:column: error|warning: message; the exit code is 2 when
    there is an error. A terminal and the other formats show the code of each, of which
    `longshore explain CODE` tells more. Where there is a key, what is encrypted is tried with it.
    """
    from longshore.cli import choices, terminal
    from longshore.commands.validate import Validation, validate
    from longshore.environment import Environment
    from longshore.report.diagnostics import Format

    environment = Environment.of_process()
    return validate(
        choices.project_choice(flags),
        choices.facts(flags),
        Validation(
            format=Format(flags["shape"]),
            strict=flags["strict"],
            fix=flags["fix"],
            confirm=terminal.confirmation(yes=flags["yes"]),
            key_path=Path(flags["key_path"]) if flags["key_path"] else None,
        ),
        environment,
        terminal.sink(),
        terminal.of_problems(environment),
    )
