"""Why a step does not run, in the words of the report (T-28 to T-33, P-1, T-40)."""

from __future__ import annotations

import pytest

from longshore.plan.model import runnable
from longshore.plan.selection import Selection

from .conftest import Compile

ONE = "app: {image: busybox}\n"


def reason(compile_: Compile, keys: str, chosen: Selection) -> str | None:
    return compile_(ONE, f"- {{service: app, command: a, {keys}}}", chosen).root.steps[0].skipped


@pytest.mark.parametrize(
    ("keys", "tag", "expected"),
    [
        ("tag: master", "master", None),
        ("tag: master", None, 'tag "master" needs a build tag (use --tag)'),
        ("tag: '^v'", "master", 'tag "^v" does not match "master"'),
        ("exclude: master", "master", 'exclude "master" matches "master"'),
        ("exclude: master", None, None),
        ("exclude: master", "main", None),
        ("tag: '^m', exclude: '^master$'", "master", 'exclude "^master$" matches "master"'),
        ("tag: '^m', exclude: '^master$'", "main", None),
        ("tag: '('", "(", None),
        ("tag: '(^'", "x", 'tag "(^" does not match "x"'),
    ],
)
def test_tag_and_exclude(
    compile_: Compile, keys: str, tag: str | None, expected: str | None
) -> None:
    assert reason(compile_, keys, Selection(tag=tag)) == expected


def test_a_nested_tag_counts_together_with_the_groups(compile_: Compile) -> None:
    steps = """
        - service: app
          tag: "^(master|staging/.*|private/.*)$"
          steps:
          - {name: always, command: a}
          - {name: master, command: a, tag: "^master$"}
    """

    def runs(tag: str) -> list[str]:
        return [s.name for s in runnable(compile_(ONE, steps, Selection(tag=tag)).root)]

    assert runs("master") == ["always", "master"]
    assert runs("staging/x") == ["always"]
    assert runs("other") == []


def test_a_push_needs_the_flag_and_its_tag(compile_: Compile) -> None:
    push = "type: push, image_name: a/b, tag: v1"
    steps = f"- {{service: app, {push}}}"

    def why(**chosen: object) -> str | None:
        return compile_(ONE, steps, Selection(**chosen)).root.steps[0].skipped  # type: ignore[arg-type]  # a test's shorthand

    assert why(tag="v1") == "push steps need --push"
    assert why(push=True) == 'tag "v1" needs a build tag (use --tag)'
    assert why(tag="v1", push=True) is None


def test_a_manual_group_waits_for_approval(compile_: Compile) -> None:
    steps = "- {type: manual, service: app, steps: [{command: a}]}"
    waiting = compile_(ONE, steps).root.steps[0]
    assert waiting.skipped == "waiting for approval (use --approve)"
    assert compile_(ONE, steps, Selection(approve=True)).root.steps[0].skipped is None
