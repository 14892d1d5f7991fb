"""``longshore plan``: the command line of it."""

from __future__ import annotations

from typing import Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand
from longshore.cli.values import OneOf


@click.command(cls=CobraCommand, name="plan")
@options.project_flags
@options.steps_path
@options.selection_flags
@options.ci_flags
@options.secret_flags
@options.accepted(options.engine_flags, options.registry_flags, options.flags_of_steps)
@click.option(
    "--format",
    "shape",
    type=OneOf(["text", "json", "mermaid", "dot"]),
    default="text",
    help="text (default), json (documented schema), mermaid or dot (drawings)",
)
def plan(**flags: Any) -> int:
    """Show what would run and why, without an engine.

    Takes all flags of `steps` but `--list`; those that do not choose what runs have no effect.
    """
    return show(flags, flags["shape"])


def show(flags: dict[str, Any], shape: str) -> int:
    """Print the plan that the flags of `plan` or `steps` choose."""
    from longshore.cli import choices, terminal
    from longshore.commands.plan import PlanFormat, show_plan
    from longshore.environment import Environment

    return show_plan(
        choices.project_choice(flags),
        choices.facts(flags),
        choices.selection(flags),
        PlanFormat(shape),
        terminal.sink(),
        terminal.style(Environment.of_process()),
        flags=choices.credentials(flags),
        user_login=not flags["no_user_credentials"],
    )
