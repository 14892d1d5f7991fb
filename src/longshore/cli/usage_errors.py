"""click's usage errors in our words (STYLE.md): what is wrong, and what to type instead."""

from __future__ import annotations

import click

from longshore.cli.catalogue import COMMANDS
from longshore.cli.values import nearest


def explained(error: click.ClickException) -> tuple[str, str | None]:
    """The message, and the hint for it."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return _message(error, ctx), _hint(error, ctx)


def _message(error: click.ClickException, ctx: click.Context | None) -> str:
    match error:
        case click.NoSuchOption():
            known = [] if ctx is None else _flags(ctx)
            return f'unknown flag "{error.option_name}"{nearest(error.option_name, known)}'
        case click.BadOptionUsage():
            return f'flag "{error.option_name}" needs a value'
        case click.MissingParameter():
            return f"{_name(error, ctx)} is missing"
        case click.BadParameter():
            name = _name(error, ctx)
            return error.message if name in error.message else f"{name}: {error.message}"
        case _:
            return error.message


def _hint(error: click.ClickException, ctx: click.Context | None) -> str | None:
    if ctx is None:
        return None
    if isinstance(ctx.command, click.Group):
        word = error.option_name.lstrip("-") if isinstance(error, click.NoSuchOption) else ""
        if ctx.parent is None and word in {listed.name for listed in COMMANDS}:
            return f'it is a command: "{ctx.command_path} {word}"'
        known = f'"{ctx.command_path} --help" lists the commands'
        return f"{known}; their flags stand behind them" if word else known
    return f'use "{ctx.command_path} --help" for its flags'


def _flags(ctx: click.Context) -> list[str]:
    return [
        name
        for parameter in ctx.command.get_params(ctx)
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in parameter.opts
        if name.startswith("--")
    ]


def _name(error: click.BadParameter, ctx: click.Context | None) -> str:
    """The flag, or the argument as the usage line writes it."""
    if isinstance(error.param_hint, str):
        return error.param_hint
    match error.param:
        case click.Option() as option:
            return next((name for name in option.opts if name.startswith("--")), option.opts[0])
        case click.Argument() as argument if ctx is not None:
            return argument.make_metavar(ctx).replace("|", " or ").removesuffix("...")
        case _:
            return "a value"
