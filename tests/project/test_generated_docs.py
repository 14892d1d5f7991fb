"""The reference pages are what the declarations say; ``LONGSHORE_WRITE_DOCS=1`` rewrites them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.config.build_keys import ARGS
from longshore.config.reference import problems_page, services_page, steps_page
from longshore.plan.facts import argument_fields

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize(
    ("name", "page"),
    [("services.md", services_page), ("steps.md", steps_page), ("problems.md", problems_page)],
)
def test_the_checked_in_page_is_the_generated_one(name: str, page: Callable[[], str]) -> None:
    path = REFERENCE / name
    if os.environ.get("LONGSHORE_WRITE_DOCS"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page(), "run with LONGSHORE_WRITE_DOCS=1"


def test_the_reference_of_build_arguments_names_every_template_field() -> None:
    listed = ARGS.description.partition("The fields are ")[2].rstrip(".").replace(" and ", ", ")
    assert set(listed.split(", ")) == argument_fields()
