"""The pages that are written by hand lead where they say, and name flags that there are."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from longshore.cli.main import longshore

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FOREIGN = {"--all", "--mount"}
"""Flags of other programs that the pages name."""


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _flags(command: click.Command) -> set[str]:
    context = click.Context(command)
    own = {name for option in command.get_params(context) for name in option.opts}
    if not isinstance(command, click.Group):
        return own
    children = (command.get_command(context, name) for name in command.list_commands(context))
    return own.union(*(_flags(child) for child in children if child is not None))


def _broken(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return not target.exists() or bool(anchor and anchor not in _anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(((?!https?:)[^)]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if _broken(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+\b(?!-)", page.read_text(encoding="utf-8")))
    assert named - FOREIGN - _flags(longshore) == set()
