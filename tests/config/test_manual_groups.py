"""Where the steps of a build wait for approval: manual groups neither meet nor nest."""

from __future__ import annotations

import pytest

from longshore.config.problem import Severity

from .conftest import Read

_SERVICE = "app:\n  image: busybox\n"


@pytest.mark.parametrize(
    ("second", "severity"),
    [
        ("tag: develop", None),
        ("tag: master", Severity.ERROR),
        ("tag: ^mas", Severity.WARNING),
        ("name: x", Severity.ERROR),
    ],
)
def test_two_manual_groups_may_not_meet(second: str, severity: Severity | None, read: Read) -> None:
    group = "- type: manual\n  {}\n  service: app\n  steps:\n  - command: ls\n"
    found = read(_SERVICE, group.format("tag: master") + group.format(second))
    told = [p.severity for p in found.problems if p.code == "LS077"]
    assert told == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("outer", "inner", "severity"),
    [
        ("", "", Severity.ERROR),
        ("tag: master, ", "tag: master, ", Severity.ERROR),
        ("tag: master, ", "tag: ^mas, ", Severity.WARNING),
        ("tag: master, ", "tag: develop, ", None),  # it never runs
    ],
)
def test_a_manual_group_inside_another_is_told(
    outer: str, inner: str, severity: Severity | None, read: Read
) -> None:
    group = f"{{type: manual, {inner}steps: [{{command: b}}]}}"
    between = f"{{type: serial, steps: [{{command: a}}, {group}]}}"
    found = read(_SERVICE, f"- {{type: manual, service: app, {outer}steps: [{between}]}}")
    told = [(p.code, p.severity) for p in found.problems]
    assert told == ([("LS077", severity)] if severity else [])
    for problem in found.problems:
        assert "serial" in (problem.hint or "")


def test_the_steps_of_a_manual_group_do_not_follow_it(read: Read) -> None:
    steps = "{command: a}, {steps: [{command: b}]}, {type: parallel, steps: [{command: c}]}"
    assert read(_SERVICE, f"- {{type: manual, service: app, steps: [{steps}]}}").problems == ()


def test_a_step_excluded_where_the_manual_group_applies_may_follow_it(read: Read) -> None:
    found = read(
        _SERVICE,
        "- type: manual\n  exclude: ^(master|dev)\n  service: app\n  steps:\n  - command: ls\n"
        "- service: app\n  tag: ^(master|dev)\n  command: ls\n",
    )
    assert found.problems == ()


def test_manual_groups_side_by_side_in_a_parallel_group_do_not_follow_each_other(
    read: Read,
) -> None:
    steps = "- type: parallel\n  service: app\n  steps:\n  - type: manual\n    steps:\n" + (
        "    - command: ls\n  - command: ls\n"
    )
    assert read(_SERVICE, steps).problems == ()
