"""Where an image is pushed to (spec 5.1 to 5.4)."""

from __future__ import annotations

import pytest

from longshore.plan.facts import BuildFacts
from longshore.plan.model import PushStep, runnable
from longshore.plan.selection import Selection

from .conftest import Compile, Examine

ONE = "app: {image: busybox}\n"


def push(keys: str) -> str:
    return f"- {{service: app, type: push, {keys}}}"


@pytest.mark.parametrize(
    ("keys", "target", "registry"),
    [
        ("image_name: a/b", "a/b:latest", "docker.io"),
        ("image_name: a/b, registry: 'https://index.docker.io/v1/'", "a/b:latest", "docker.io"),
        ("image_name: b", "b:latest", "docker.io"),
        ("image_name: 'a/b:1.2'", "a/b:1.2", "docker.io"),
        ("image_name: quay.io/a/b, registry: quay.io", "quay.io/a/b:latest", "quay.io"),
        ("image_name: gcr.io/a/b, registry: 'https://gcr.io/'", "gcr.io/a/b:latest", "gcr.io"),
        ("image_name: gcr.io/a/b", "gcr.io/a/b:latest", "gcr.io"),
        ("image_name: 'localhost:5000/b', registry: 'localhost:5000'", "localhost:5000/b:latest",
         "localhost:5000"),
        ("image_name: a/b, registry: quay.io/user/repo", "quay.io/a/b:latest", "quay.io"),
        ("image_name: a/b, image_tag: 9.10", "a/b:9.10", "docker.io"),
        ("image_name: a/b, image_tag: 'feature/x'", "a/b:featurex", "docker.io"),
        ("image_name: a/b, image_tag: '{{.Branch}}.{{.ServiceName}}.{{.StepName}}'",
         "a/b:v1.app.push_app", "docker.io"),
    ],
)  # fmt: skip
def test_the_reference_that_is_pushed(
    compile_: Compile, keys: str, target: str, registry: str
) -> None:
    step = compile_(ONE, push(keys), Selection(push=True), BuildFacts(branch="v1")).root.steps[0]
    assert isinstance(step, PushStep)
    assert [str(reference) for reference in step.push.targets] == [target]
    assert step.push.targets[0].registry == registry


@pytest.mark.parametrize(
    ("second", "tag"),
    [
        (push("name: release, image_name: a/b, image_tag: '{{.StepName}}'"), "release"),
        (
            "- {type: serial, services: [app, db], steps: [{type: push, name: release, "
            "image_name: a/b, image_tag: '{{.StepName}}'}]}",
            "releasedb",
        ),
    ],
)
def test_the_step_name_of_a_tag_is_the_files_where_the_log_numbers_it(
    compile_: Compile, second: str, tag: str
) -> None:
    """A pipeline has a "release" for every branch, and each pushes the tag its file says (P-12)."""
    steps = f"{second}\n" * 2
    plan = compile_(ONE + "db: {image: redis}\n", steps, Selection(push=True))
    last = list(runnable(plan.root))[-1]
    assert isinstance(last, PushStep)
    assert last.name.endswith(" (2)")
    assert [target.tag for target in last.push.targets] == [tag]


def problem(examine: Examine, keys: str) -> tuple[str, str, str]:
    """Code, severity and message of the one problem."""
    found = examine(ONE, push(keys)).problems
    assert len(found) == 1, [str(p) for p in found]
    return found[0].code, found[0].severity.value, found[0].message


def test_a_registry_beside_a_name_without_one_is_told(examine: Examine) -> None:
    code, severity, message = problem(examine, "image_name: a/b, registry: quay.io")
    assert (code, severity) == ("LS093", "warning")
    assert 'it is pushed to "quay.io/a/b"' in message


def test_a_registry_that_differs_from_the_names_is_told(examine: Examine) -> None:
    code, severity, message = problem(examine, "image_name: gcr.io/a/b, registry: quay.io")
    assert (code, severity) == ("LS093", "warning")
    assert message == 'registry "quay.io" has no effect: image_name names the registry "gcr.io"'


@pytest.mark.parametrize("registry", ["myregistry", "your_registry_url", "'a b'", "'-x.y'"])
def test_a_registry_that_is_no_host_is_never_docker_hub(examine: Examine, registry: str) -> None:
    code, severity, message = problem(examine, f"image_name: a/b, registry: {registry}")
    assert (code, severity) == ("LS021", "error")
    assert message.endswith("is not the host of a registry")


def test_a_digest_cannot_be_pushed_to(examine: Examine) -> None:
    name = f"a/b@sha256:{'0' * 64}"
    code, severity, _ = problem(examine, f"image_name: '{name}'")
    assert (code, severity) == ("LS035", "error")
