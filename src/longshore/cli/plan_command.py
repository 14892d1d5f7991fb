"""``longshore plan``: the command line of it."""

from __future__ import annotations

from typing import Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand


@click.command(cls=CobraCommand, name="plan")
@options.project_flags
@options.steps_path
@options.selection_flags
@options.ci_flags
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "mermaid", "dot"]),
    default="text",
    help="text, json (documented schema), mermaid or dot (drawings)",
)
def plan(**flags: Any) -> int:
    """Show what would run and why, without an engine.

    Takes the flags of `steps` that choose what runs.
    """
    from longshore.cli import requests, terminal
    from longshore.commands.plan import PlanFormat, show_plan
    from longshore.environment import Environment

    return show_plan(
        requests.project_choice(flags),
        requests.facts(flags),
        requests.selection(flags),
        PlanFormat(flags["shape"]),
        terminal.sink(),
        terminal.style(Environment.of_process()),
    )
