"""click, made to read flags and to print help as the original's command line did (C-1, C-2)."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from typing import Any

import click

from longshore.cli.catalogue import COMMANDS, Listed
from longshore.cli.go_flags import takes_value, without_go_spellings
from longshore.cli.values import nearest


class CobraCommand(click.Command):
    """A command with Go's flag spellings and cobra's help layout."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Turn Go's spellings of flags into what click knows, then parse."""
        ctx.allow_extra_args = True
        try:
            rest = super().parse_args(ctx, self._as_click_has_it(ctx, args))
        except click.NoSuchOption as error:
            raise click.NoSuchOption(_as_typed(error.option_name, args), ctx=ctx) from error
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise
        if rest:
            raise click.UsageError(f'unexpected word "{rest[0]}"', ctx)
        return rest

    def _as_click_has_it(self, ctx: click.Context, args: Sequence[str]) -> list[str]:
        return without_go_spellings(args, self.options(ctx), only_first=self.stops_at_first_word)

    def options(self, ctx: click.Context) -> dict[str, click.Option]:
        """Every flag by each of its spellings."""
        return {
            name: parameter
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            for name in parameter.opts
        }

    stops_at_first_word = False

    def get_help(self, ctx: click.Context) -> str:
        """The description, ``Usage:``, ``Flags:``."""
        text = inspect.cleandoc(self.help or "")
        flags = "\n".join(_flag_lines(self, ctx))
        return f"{text}\n\nUsage:\n  {usage(self, ctx)}\n\nFlags:\n{flags}"


def _as_typed(flag: str, args: Sequence[str]) -> str:
    """``-tag`` where click has read five flags of a letter and does not know the first."""
    typed = next((word for word in args if word.startswith(flag)), flag)
    return flag if flag.startswith("--") else typed.partition("=")[0]


def usage(command: click.Command, ctx: click.Context) -> str:
    """The line below ``Usage:``."""
    words = [ctx.command_path]
    words += [
        parameter.make_metavar(ctx)
        for parameter in command.params
        if isinstance(parameter, click.Argument)
    ]
    return " ".join([*words, "[flags]"])


def _flag_lines(command: click.Command, ctx: click.Context) -> list[str]:
    rows = flag_rows(command, ctx)
    width = max(len(left) for _, left, _ in rows)
    return [f"  {left:<{width}}   {text}" for _, left, text in rows]


def flag_rows(command: click.Command, ctx: click.Context) -> list[tuple[str, str, str]]:
    """For every flag that is shown: its long name, its spellings, and what it does, by name."""
    return sorted(
        _flag_row(parameter, ctx)
        for parameter in command.get_params(ctx)
        if isinstance(parameter, click.Option) and not parameter.hidden
    )


def _flag_row(option: click.Option, ctx: click.Context) -> tuple[str, str, str]:
    long = next(name for name in option.opts if name.startswith("--"))
    short = next((name for name in option.opts if not name.startswith("--")), None)
    left = f"{short}, {long}" if short else f"    {long}"
    if takes_value(option):
        left += f" {option.metavar or option.make_metavar(ctx)}"
    text = f"help for {ctx.info_name}" if long == "--help" else option.help or ""
    return long, left, text


class CobraParent(click.Group):
    """A command that only has commands of its own."""

    def get_help(self, ctx: click.Context) -> str:
        """cobra's page for it (C-1)."""
        return _group_page(ctx.command_path, inspect.cleandoc(self.help or ""), self.rows())

    def rows(self) -> list[tuple[str, str]]:
        """Each command with its one line of help."""
        return [(name, _first_sentence(command)) for name, command in self.commands.items()]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first word; an unknown one gets the nearest known as a hint."""
        _check_known(args[0], ctx, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


class CobraGroup(CobraParent):
    """The top level: commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, as `catalogue` has them."""
        return [listed.name for listed in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        listed = next((entry for entry in COMMANDS if entry.name == cmd_name), None)
        return None if listed is None else _load(listed)

    def rows(self) -> list[tuple[str, str]]:
        """As `catalogue` has them."""
        return [(listed.name, listed.summary) for listed in COMMANDS]


def _group_page(name: str, text: str, rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(command) for command, _ in rows)
    return "\n".join(
        [
            text,
            "",
            "Usage:",
            f"  {name} [command]",
            "",
            "Available Commands:",
            *(f"  {command:<{width}}   {summary}" for command, summary in rows),
            "",
            "Flags:",
            f"  -h, --help   help for {name}",
            "",
            f'Use "{name} [command] --help" for more information about a command.',
        ]
    )


def _load(listed: Listed) -> click.Command:
    module = importlib.import_module(f"longshore.cli.{listed.module}_command")
    found: Any = getattr(module, listed.name.replace("-", "_"))
    assert isinstance(found, click.Command)
    return found


def _first_sentence(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "").partition("\n")[0].rstrip(".")


def _check_known(word: str, ctx: click.Context, known: Sequence[str]) -> None:
    """Raises a usage error; flags are left to click."""
    if word not in known and not word.startswith("-"):
        near = nearest(word, known)
        raise click.UsageError(f'unknown command "{word}" for "{ctx.command_path}"{near}', ctx)
