"""Build arguments that this build has no values for: told where their image is needed (C-9)."""

from __future__ import annotations

import pytest

from longshore.plan.facts import BuildFacts
from longshore.plan.selection import Selection

from .conftest import Examine

SERVICES = """
used: {image: busybox}
other: {build: {args: {SHORT: "{{slice .CommitID 0 7}}"}}}
around: {image: busybox, depends_on: [other]}
named: {image: codeship_other}
"""
TAGGED = """
- {service: used, command: a}
- {service: other, command: b, tag: master}
"""


def test_an_argument_without_a_value_does_not_matter_where_no_step_needs_its_image(
    examine: Examine,
) -> None:
    found = examine(SERVICES, TAGGED)
    assert found.plan is not None
    assert not found.problems


@pytest.mark.parametrize(
    "step",
    [
        "service: other, command: a",
        "service: around, command: a",
        "service: named, command: a",
        "service: used, command: a, on_fail: [{service: other, command: b}]",
    ],
)
def test_a_step_that_needs_an_image_whose_argument_has_no_value_is_stopped(
    examine: Examine, step: str
) -> None:
    found = examine(SERVICES, f"- {{{step}}}")
    assert found.plan is None
    (problem,) = found.problems
    assert (problem.code, problem.place.line, problem.place.column) == ("LS090", 3, 31)
    assert problem.message.startswith('argument "SHORT" of service "other": ')


def test_the_same_step_runs_where_the_argument_has_a_value(examine: Examine) -> None:
    found = examine(SERVICES, TAGGED, Selection(tag="master"), BuildFacts(commit_id="0" * 40))
    assert found.plan is not None
    assert examine(SERVICES, TAGGED, Selection(tag="master")).plan is None
