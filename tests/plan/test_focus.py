"""--only and --from choose by name, and say so where they leave out (C-10)."""

from __future__ import annotations

import pytest

from longshore.errors import UsageError
from longshore.plan.model import Plan, runnable, walk
from longshore.plan.selection import Selection

from .conftest import Compile

ONE = "app: {image: busybox}\ndb: {image: busybox}\n"
STEPS = """
- {service: app, name: a, command: x}
- type: parallel
  name: group
  service: app
  steps:
  - {name: b, command: x}
  - {name: c, command: x, tag: master}
- {service: app, name: d, command: x}
"""


def chosen(plan: Plan) -> list[str]:
    return [step.name for step in runnable(plan.root)]


@pytest.mark.parametrize(
    ("only", "runs"),
    [(("a",), ["a"]), (("group",), ["b"]), (("d", "b"), ["b", "d"]), (("c",), [])],
)
def test_only_runs_the_named_steps_and_what_lies_in_named_groups(
    compile_: Compile, only: tuple[str, ...], runs: list[str]
) -> None:
    assert chosen(compile_(ONE, STEPS, Selection(only=only))) == runs


@pytest.mark.parametrize(
    ("start", "runs"),
    [("a", ["a", "b", "d"]), ("group", ["b", "d"]), ("c", ["d"]), ("d", ["d"])],
)
def test_from_leaves_out_what_comes_before_in_the_file(
    compile_: Compile, start: str, runs: list[str]
) -> None:
    assert chosen(compile_(ONE, STEPS, Selection(start_from=start))) == runs


def test_the_reason_names_the_flag_once_a_group(compile_: Compile) -> None:
    plan = compile_(ONE, STEPS, Selection(only=("d",)))
    reasons = {step.name: step.skipped for step in walk(plan.root) if step.skipped}
    assert reasons == {
        "a": "left out by --only",
        "group": "left out by --only",
        "c": 'tag "master" needs a build tag (use --tag)',
    }


def test_a_name_stands_for_its_steps_of_all_services(compile_: Compile) -> None:
    steps = "- {type: serial, services: [app, db], steps: [{name: a, command: x}]}"
    assert chosen(compile_(ONE, steps, Selection(only=("a",)))) == ["a [app]", "a [db]"]
    assert chosen(compile_(ONE, steps, Selection(only=("a [db]",)))) == ["a [db]"]


DEPLOYS = """
- {service: app, name: deploy, command: m, tag: master}
- {service: app, name: deploy, command: s, tag: staging}
"""
BELOW_SERVICES = """
- {type: serial, tag: master, services: [app, db], steps: [{name: deploy, command: m}]}
- {type: serial, tag: staging, services: [app, db], steps: [{name: deploy, command: s}]}
"""


def test_a_name_stands_for_all_steps_that_bear_it(compile_: Compile) -> None:
    """Each branch has its "deploy"; the one of this branch is meant (T-13)."""
    for selection in (
        Selection(tag="staging", only=("deploy",)),
        Selection(tag="staging", start_from="deploy"),
    ):
        assert chosen(compile_(ONE, DEPLOYS, selection)) == ["deploy (2)"]


@pytest.mark.parametrize(
    ("only", "runs"),
    [
        ("deploy", ["deploy [app] (2)", "deploy [db] (2)"]),
        ("deploy [db]", ["deploy [db] (2)"]),
        ("deploy [db] (2)", ["deploy [db] (2)"]),
    ],
)
def test_a_name_stands_for_all_steps_that_bear_it_for_a_service(
    compile_: Compile, only: str, runs: list[str]
) -> None:
    plan = compile_(ONE, BELOW_SERVICES, Selection(tag="staging", only=(only,)))
    assert chosen(plan) == runs


def test_a_number_of_the_log_chooses_one_step_unless_the_file_has_that_name(
    compile_: Compile,
) -> None:
    selection = Selection(only=("deploy (2)",))
    plain = "- {service: app, name: deploy, command: x}\n"
    assert chosen(compile_(ONE, plain * 2, selection)) == ["deploy (2)"]
    named = "- {service: app, name: deploy (2), command: x}\n"
    assert chosen(compile_(ONE, plain * 2 + named, selection)) == ["deploy (2)"]
    assert chosen(compile_(ONE, named * 2, selection)) == ["deploy (2)", "deploy (2) (2)"]


def test_a_generated_name_chooses_one_step(compile_: Compile) -> None:
    steps = "- {service: app, command: ls}\n" * 2
    assert chosen(compile_(ONE, steps, Selection(only=("ls",)))) == ["ls"]
    assert chosen(compile_(ONE, steps, Selection(only=("ls_2",)))) == ["ls_2"]


def test_an_unknown_name_is_a_usage_error_with_the_nearest_one(compile_: Compile) -> None:
    with pytest.raises(UsageError, match='no step is named "gruop"') as caught:
        compile_(ONE, STEPS, Selection(only=("gruop",)))
    assert caught.value.hint == 'did you mean "group"?'
    with pytest.raises(UsageError) as caught:
        compile_(ONE, STEPS, Selection(start_from="completely different"))
    assert caught.value.hint == "the steps are: a, group, b, c, d"


def test_a_file_without_steps_has_no_names(compile_: Compile) -> None:
    with pytest.raises(UsageError) as caught:
        compile_(ONE, "[]", Selection(only=("a",)))
    assert caught.value.hint == "the steps are: none"
