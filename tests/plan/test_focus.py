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
