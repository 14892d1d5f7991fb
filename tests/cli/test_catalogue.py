"""Every listed command is there, and every one that is there is listed."""

from __future__ import annotations

import importlib
from pathlib import Path

import click
import pytest

from longshore.cli import catalogue
from longshore.cli.catalogue import COMMANDS
from longshore.cli.cobra import CobraCommand, CobraParent
from longshore.cli.main import longshore

NAMES = [entry.name for entry in COMMANDS]
CONTEXT = click.Context(longshore, info_name="longshore")


@pytest.mark.parametrize("name", NAMES)
def test_a_command_loads_under_its_name_and_explains_itself(name: str) -> None:
    command = longshore.get_command(CONTEXT, name)
    assert command is not None
    assert command.name == name
    shown = command.get_help(click.Context(command, info_name=name, parent=CONTEXT))
    assert "Usage:\n" in shown
    assert len(command.help or "") > 15


@pytest.mark.parametrize("name", NAMES)
def test_every_flag_that_is_shown_is_explained(name: str) -> None:
    command = longshore.get_command(CONTEXT, name)
    assert command is not None
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    assert [option.name for option in options if not option.help] == []


def test_every_declared_command_is_listed() -> None:
    found = set()
    for path in Path(catalogue.__file__).parent.glob("*_command.py"):
        module = importlib.import_module(f"longshore.cli.{path.stem}")
        found |= {
            value.name
            for value in vars(module).values()
            if isinstance(value, CobraCommand | CobraParent) and value.name != "serve"
        }
    assert found == set(NAMES)


def test_commands_are_listed_by_name() -> None:
    assert sorted(NAMES) == NAMES
