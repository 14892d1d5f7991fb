"""Where the entries of on_fail get their service from (T-24, T-42)."""

from __future__ import annotations

import pytest

from .conftest import Read

TWO = "app: {build: .}\ndb: {image: redis}\n"
GROUP = "- {{type: {}, services: [app, db], on_fail: [{}], steps: [{{command: a}}]}}"


@pytest.mark.parametrize("kind", ["serial", "parallel", "manual", "matrix"])
def test_services_of_a_group_are_none_for_its_own_on_fail(read: Read, kind: str) -> None:
    """They multiply the steps of the group; a failed group is no service's."""
    found = read(TWO, GROUP.format(kind, "{command: a}"))
    assert found.project is None
    errors = [problem.message for problem in found.problems if problem.stops]
    assert errors == ["step 1.on_fail.1 has no service"]


def test_an_on_fail_entry_of_a_group_with_services_may_name_its_own(read: Read) -> None:
    assert not read(TWO, GROUP.format("parallel", "{service: db, command: a}")).problems


def test_services_of_groups_above_reach_on_fail(read: Read) -> None:
    inner = "{type: serial, on_fail: [{command: a}], steps: [{command: b}]}"
    leaf = "{command: b, on_fail: [{command: a, on_fail: [{command: c}]}]}"
    for steps in (inner, leaf):
        found = read(TWO, f"- {{type: serial, services: [app, db], steps: [{steps}]}}")
        assert not found.problems
