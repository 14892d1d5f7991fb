"""Groups with services multiplied out: names, order and nesting (T-24 to T-26, Q-1, Q-3)."""

from __future__ import annotations

import pytest

from longshore.plan.model import Parallel, RunStep, Serial, Step, walk

from .conftest import Compile

TWO = "foo: {image: busybox}\nbar: {image: busybox}\n"
GROUP = """
- type: {kind}
  name: both
  services: [foo, bar]
  steps:
  - {{name: one, command: a}}
  - {{command: b}}
"""


def tree(step: Step) -> object:
    """Names only: a leaf's, or a group's with those below."""
    if isinstance(step, Serial | Parallel):
        return {step.name: [tree(child) for child in step.steps]}
    return step.name


def test_serial_runs_service_by_service_in_one_list(compile_: Compile) -> None:
    plan = compile_(TWO, GROUP.format(kind="serial"))
    assert tree(plan.root.steps[0]) == {"both": ["one [foo]", "b [foo]", "one [bar]", "b [bar]"]}


@pytest.mark.parametrize("kind", ["parallel", "matrix"])
def test_parallel_has_a_serial_block_for_each_service(compile_: Compile, kind: str) -> None:
    group = compile_(TWO, GROUP.format(kind=kind)).root.steps[0]
    assert isinstance(group, Parallel)
    assert tree(group) == {
        "both": [
            {"serial [foo]": ["one [foo]", "b [foo]"]},
            {"serial [bar]": ["one [bar]", "b [bar]"]},
        ]
    }


def test_every_multiplied_step_has_the_service_of_its_name(compile_: Compile) -> None:
    plan = compile_(TWO, GROUP.format(kind="parallel"))
    steps = [step for step in walk(plan.root) if isinstance(step, RunStep)]
    assert all(step.name.endswith(f"[{step.service}]") for step in steps)


def test_on_fail_of_a_multiplied_step_has_its_service(compile_: Compile) -> None:
    plan = compile_(TWO, """
        - type: parallel
          services: [foo, bar]
          steps:
          - {name: a, command: x, on_fail: [{name: mail, command: y}]}
    """)  # fmt: skip
    handlers = [h for step in walk(plan.root) for h in step.on_fail]
    assert [(h.name, h.service) for h in handlers] == [
        ("mail [foo]", "foo"),
        ("mail [bar]", "bar"),
    ]


def test_a_group_without_services_hands_its_own_service_down(compile_: Compile) -> None:
    plan = compile_(TWO, "- {type: parallel, service: bar, steps: [{command: a}]}")
    assert [s.service for s in walk(plan.root) if isinstance(s, RunStep)] == ["bar"]
