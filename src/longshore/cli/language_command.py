"""``longshore schema`` and ``longshore explain``: the file language about itself."""

from __future__ import annotations

import click

from longshore.cli.cobra import CobraCommand
from longshore.cli.values import OneOf


@click.command(cls=CobraCommand, name="schema")
@click.argument("file", type=OneOf(["services", "steps"]), metavar="services|steps")
def schema(file: str) -> int:
    """Print the JSON Schema of one of the two files, for editors."""
    from longshore.cli import terminal
    from longshore.commands.schema import SchemaOf, show_schema

    return show_schema(of=SchemaOf(file), out=terminal.sink().write)


@click.command(cls=CobraCommand, name="explain")
@click.argument("codes", nargs=-1, metavar="[CODE...]")
def explain(codes: tuple[str, ...]) -> int:
    """Explain a problem's code (LS042) with an example and the remedy; all codes without one."""
    from longshore.cli import terminal
    from longshore.commands.explain import explain as run_explain

    return run_explain(codes=codes, out=terminal.sink().write)
