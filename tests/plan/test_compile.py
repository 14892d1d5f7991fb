"""Whole files become plans: inheritance, equivalences, faults of the steps that run only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from longshore.commands.project import ProjectChoice, examined
from longshore.config.problem import Severity
from longshore.plan.facts import BuildFacts
from longshore.plan.model import (
    Manual,
    Parallel,
    Plan,
    PushStep,
    RunStep,
    Serial,
    Step,
    runnable,
    walk,
)
from longshore.plan.selection import Selection

from .conftest import Compile, Examine

TWO = """
    foo: {image: busybox}
    bar: {image: busybox}
    gen: {image: generator}
"""


def shape(step: Step) -> Any:
    """A step without names and places: what it does, with what, in which order."""
    handlers = [shape(handler) for handler in step.on_fail]
    if isinstance(step, RunStep):
        return ("run", step.service, step.command, step.credentials, step.skipped, handlers)
    if isinstance(step, PushStep):
        return ("push", step.service, step.push, step.credentials, step.skipped, handlers)
    kind = type(step).__name__
    return (kind, step.skipped, [shape(child) for child in step.steps], handlers)


def leaves(plan: Plan, inherited: str | None = None) -> Iterator[Any]:
    """The run and push steps with the reason for which they are skipped, own or a group's."""

    def below(step: Step, skipped: str | None) -> Iterator[Any]:
        skipped = skipped or step.skipped
        if isinstance(step, RunStep):
            yield ("run", step.service, step.command, step.credentials, skipped)
        elif not isinstance(step, PushStep):
            for child in step.steps:
                yield from below(child, skipped)

    yield from below(plan.root, inherited)


def names(plan: Plan) -> list[str]:
    return [step.name for step in walk(plan.root) if step.path != "0"]


def test_parallel_with_services_is_one_serial_block_a_service_side_by_side(
    compile_: Compile,
) -> None:
    short = compile_(TWO, """
        - type: parallel
          tag: "^(master|staging/.*)$"
          dockercfg_service: gen
          services: [foo, bar]
          steps:
          - command: echo one
          - command: echo two
    """)  # fmt: skip
    long = compile_(TWO, """
        - type: parallel
          tag: "^(master|staging/.*)$"
          dockercfg_service: gen
          steps:
          - type: serial
            steps: [{service: foo, command: echo one}, {service: foo, command: echo two}]
          - type: serial
            steps: [{service: bar, command: echo one}, {service: bar, command: echo two}]
    """)  # fmt: skip
    assert shape(short.root) == shape(long.root)


@pytest.mark.parametrize("tag", [None, "master", "other"])
def test_serial_with_services_is_service_by_service_each_with_the_groups_keys(
    compile_: Compile, tag: str | None
) -> None:
    chosen = Selection(tag=tag)
    short = compile_(TWO, """
        - type: serial
          tag: master
          encrypted_dockercfg_path: dockercfg.encrypted
          services: [foo, bar]
          steps:
          - command: echo one
          - command: echo two
    """, chosen)  # fmt: skip
    keys = "tag: master, encrypted_dockercfg_path: dockercfg.encrypted"
    long = compile_(TWO, f"""
        - {{service: foo, command: echo one, {keys}}}
        - {{service: foo, command: echo two, {keys}}}
        - {{service: bar, command: echo one, {keys}}}
        - {{service: bar, command: echo two, {keys}}}
    """, chosen)  # fmt: skip
    assert list(leaves(short)) == list(leaves(long))
    assert (not list(runnable(short.root))) == (tag != "master")


def test_matrix_is_what_parallel_with_services_is(compile_: Compile) -> None:
    steps = "- type: {}\n  services: [foo, bar]\n  steps: [{{command: a}}, {{command: b}}]\n"
    matrix, parallel = (compile_(TWO, steps.format(kind)) for kind in ("matrix", "parallel"))
    assert shape(matrix.root) == shape(parallel.root)


def test_services_of_nested_groups_reach_every_step_below(compile_: Compile) -> None:
    plan = compile_(TWO, """
        - type: parallel
          services: [foo, bar]
          steps:
          - type: parallel
            steps:
            - {name: a, command: x}
            - type: serial
              steps: [{name: b, command: y}]
    """)  # fmt: skip
    found = {s.name: s.service for s in walk(plan.root) if isinstance(s, RunStep)}
    assert found == {"a [foo]": "foo", "b [foo]": "foo", "a [bar]": "bar", "b [bar]": "bar"}


def test_paths_are_unique_and_tell_the_place_in_the_tree(compile_: Compile) -> None:
    plan = compile_(TWO, """
        - {service: foo, command: a, on_fail: [{command: b}, {command: c}]}
        - service: bar
          type: serial
          steps: [{command: d}, {command: e}]
    """)  # fmt: skip
    steps = [step for step in walk(plan.root) if step.path != "0"]
    paths = [s.path for s in steps] + [h.path for s in steps for h in s.on_fail]
    assert paths == ["1", "2", "2.1", "2.2", "1.on_fail.1", "1.on_fail.2"]


def test_on_fail_inherits_service_and_credentials_and_may_name_its_own(compile_: Compile) -> None:
    plan = compile_(TWO, """
        - service: foo
          dockercfg_service: gen
          command: a
          on_fail:
          - command: b
            on_fail: [{command: c}]
          - {command: d, service: bar}
    """)  # fmt: skip
    first, second = plan.root.steps[0].on_fail
    assert (first.service, first.on_fail[0].service, second.service) == ("foo", "foo", "bar")
    assert {h.credentials[0].dockercfg_service for h in (first, *first.on_fail, second)} == {"gen"}


def test_the_nearest_credentials_come_first_and_the_groups_after_them(compile_: Compile) -> None:
    plan = compile_(TWO, """
        - type: serial
          service: foo
          encrypted_dockercfg_path: outer
          steps:
          - type: serial
            encrypted_dockercfg_path: inner
            steps:
            - {command: a, encrypted_dockercfg_path: own}
            - {command: b}
    """)  # fmt: skip
    found = {s.command[0]: s.credentials for s in walk(plan.root) if isinstance(s, RunStep)}
    paths = {name: [k.encrypted_dockercfg_path for k in keys] for name, keys in found.items()}
    assert paths == {"a": ["own", "inner", "outer"], "b": ["inner", "outer"]}


PUSH = """
    - {service: foo, command: make, name: make}
    - {service: foo, type: push, name: push, image_name: a/b, image_tag: "{{.Branch}}"}
"""


def test_a_tag_that_comes_out_empty_is_an_error_of_a_step_that_runs(examine: Examine) -> None:
    found = examine(TWO, PUSH, Selection(push=True))
    assert found.plan is None
    problem = found.problems[0]
    assert str(problem) == (
        "codeship-steps.yml:3:70: error: "
        'image_tag "{{.Branch}}" of step "push" is empty after expansion'
    )
    assert (
        problem.hint == "give it a value with --ci-branch, or take it from git with --ci-from-scm"
    )


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("commit-{{.CommitID}}", "CommitID"),
        ("{{.Branch}}.dev", "Branch"),
        ("{{ .Branch }}_{{ .Commit }}", "Branch, Commit"),
        ("v{{printf `%.7s` .CommitID}}", "CommitID"),
        ("{{.Branch}}-or-{{.CommitID}}", "Branch, CommitID"),
        ("v{{printf `not-%s` .CommitID}}", "CommitID"),
    ],
)
def test_a_tag_with_a_gap_where_every_hosted_build_had_a_value_is_an_error(
    examine: Examine, tag: str, told: str
) -> None:
    """It would be pushed as "commit-", over that of every other build (P-13)."""
    push = PUSH.replace("{{.Branch}}", tag)
    for facts in (BuildFacts(), BuildFacts(branch="", commit_id="")):
        found = examine(TWO, push, Selection(push=True), facts)
        (problem,) = found.problems
        assert problem.message == (
            f'image_tag "{tag}" of step "push" is incomplete: no value for {told}'
        )
        flags = ["--ci-branch"] * ("Branch" in told) + ["--ci-commit-id"] * ("Commit" in told)
        assert (problem.hint or "").startswith(f"give it a value with {' '.join(flags)}, or take")


@pytest.mark.parametrize("tag", ["{{.BuildID}}", "b{{.BuildID}}-{{.CommitID}}"])
def test_nobody_is_sent_to_git_for_what_only_the_ci_system_knows(
    examine: Examine, tag: str
) -> None:
    found = examine(TWO, PUSH.replace("{{.Branch}}", tag), Selection(push=True))
    hint = found.problems[0].hint or ""
    assert hint.startswith("give it a value with --ci-build-id")
    assert "git" not in hint


def test_only_what_has_no_value_is_asked_for_and_once(examine: Examine) -> None:
    push = PUSH.replace("{{.Branch}}", "{{.Branch}}.{{.CommitID}}.{{.Commit}}")
    found = examine(TWO, push, Selection(push=True), BuildFacts(branch="main"))
    (problem,) = found.problems
    assert problem.message.endswith(" is incomplete: no value for Commit, CommitID")
    assert (problem.hint or "").startswith("give it a value with --ci-commit-id, or take it")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("v{{if .Branch}}-{{.Branch}}{{end}}", "v"),
        ("v{{\\nif .Branch}}-{{.Branch}}{{end}}", "v"),
        ("{{or .Branch `none`}}", "none"),
        ("{{printf `%s` (or .Branch `none`)}}", "none"),
        ("pr{{.PrNumber}}", "pr"),
        ("{{.CommitterUsername}}.dev", "dev"),
        ("v{{.CommitDescription}}", "v"),
        ("{{.ServiceName}}-{{.StepName}}", "foo-push"),
    ],
)
def test_a_tag_that_says_what_it_is_without_a_value_is_taken_as_it_comes_out(
    examine: Examine, tag: str, expected: str
) -> None:
    found = examine(TWO, PUSH.replace("{{.Branch}}", tag), Selection(push=True))
    assert found.plan is not None
    (step,) = (one for one in runnable(found.plan.root) if isinstance(one, PushStep))
    assert [target.tag for target in step.push.targets] == [expected]


@pytest.mark.parametrize(
    "chosen", [Selection(), Selection(push=True, only=("make",))], ids=["no --push", "--only"]
)
def test_a_tag_that_comes_out_empty_does_not_matter_where_nothing_is_pushed(
    examine: Examine, chosen: Selection
) -> None:
    found = examine(TWO, PUSH, chosen)
    assert found.plan is not None
    assert [step.name for step in runnable(found.plan.root)] == ["make"]


def test_a_template_that_fails_for_these_values_only_is_told_at_its_place(
    examine: Examine,
) -> None:
    steps = """
        - {service: foo, type: push, image_name: a/b, image_tag: '{{slice .Branch 0 4}}'}
    """
    good = examine(TWO, steps, Selection(push=True), BuildFacts(branch="master"))
    assert good.plan is not None
    bad = examine(TWO, steps, Selection(push=True), BuildFacts(branch="ab"))
    assert bad.plan is None
    assert [(p.code, p.place.line) for p in bad.problems] == [("LS090", 2)]


def test_several_tags_are_several_targets_and_equal_ones_are_one(compile_: Compile) -> None:
    plan = compile_(
        TWO,
        """
        - {service: foo, type: push, image_name: a/b, image_tag: ["{{.Branch}}", x, "{{.Branch}}"]}
        """,
        Selection(push=True),
        BuildFacts(branch="main"),
    )
    step = plan.root.steps[0]
    assert isinstance(step, PushStep)
    assert list(map(str, step.push.targets)) == ["a/b:main", "a/b:x"]


def test_the_branch_is_told_not_to_be_the_build_tag(examine: Examine) -> None:
    tagged = "- {service: foo, command: a, tag: master}"
    said = examine(TWO, tagged, facts=BuildFacts(branch="a b")).notices
    assert len(said) == 1
    assert "use --tag 'a b'" in said[0]
    assert not examine(TWO, tagged, Selection(tag="x"), BuildFacts(branch="a b")).notices
    assert not examine(TWO, tagged).notices
    assert not examine(TWO, "- {service: foo, command: a}", facts=BuildFacts(branch="x")).notices


def test_a_step_that_excludes_the_branch_runs_without_a_build_tag_and_that_is_told(
    examine: Examine,
) -> None:
    """On the hosted product the branch was the build tag (T-28, T-32)."""
    excluding = "- {service: foo, command: a, exclude: ^wip/}"
    said = examine(TWO, excluding, facts=BuildFacts(branch="wip/x")).notices
    assert said == (
        'the branch "wip/x" is not the build tag, so steps that exclude it run; '
        "to go by this branch use --tag wip/x",
    )
    assert not examine(TWO, excluding, facts=BuildFacts(branch="master")).notices
    assert not examine(TWO, excluding, Selection(tag="y"), BuildFacts(branch="wip/x")).notices


def test_manual_groups_become_manual_groups(compile_: Compile) -> None:
    plan = compile_(TWO, "- {type: manual, service: foo, steps: [{command: a}]}")
    assert isinstance(plan.root.steps[0], Manual)
    assert not list(runnable(plan.root))
    approved = compile_(
        TWO, "- {type: manual, service: foo, steps: [{command: a}]}", Selection(approve=True)
    )
    assert len(list(runnable(approved.root))) == 1


def test_groups_keep_their_kind(compile_: Compile) -> None:
    plan = compile_(TWO, """
        - {type: serial, service: foo, steps: [{command: a}]}
        - {type: parallel, service: foo, steps: [{command: a}]}
        - {service: foo, steps: [{command: a}]}
    """)  # fmt: skip
    assert [type(step) for step in plan.root.steps] == [Serial, Parallel, Serial]


@pytest.mark.parametrize("tag", ["master", "main", "develop", "v1.2.3", "1.2.3", None])
def test_every_pair_of_public_files_without_errors_compiles(
    corpus_pairs: list[ProjectChoice], tag: str | None
) -> None:
    facts = BuildFacts(branch=tag or "topic", commit_id="0" * 40, build_id="1", repo_name="r")
    compiled = 0
    for choice in corpus_pairs:
        found = examined(choice, facts, Selection(tag=tag, push=True, approve=True))
        errors = [p for p in found.problems if p.severity is Severity.ERROR]
        assert (found.plan is None) == bool(errors)
        compiled += found.plan is not None
    # The rest has real defects: tests/config/corpus_expected.txt lists each.
    assert compiled >= len(corpus_pairs) * 0.85
    assert compiled > 100


def test_a_project_elsewhere_is_found_from_anywhere(
    compile_: Compile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_(TWO, "- {service: foo, command: a}")
    monkeypatch.chdir("/")
    found = examined(ProjectChoice(directory=tmp_path), BuildFacts(), Selection())
    assert found.plan is not None
    assert found.plan.directory == tmp_path.resolve()
