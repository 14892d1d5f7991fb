"""Both files as they are read: their forms, their places, their problems together."""

from __future__ import annotations

from pathlib import Path

import pytest

from longshore.config.load import load
from longshore.config.model import GroupEntry, PushEntry, RunEntry

from .conftest import Read, errors

_SERVICE = "app:\n  image: busybox\n"


def test_the_documentation_example_gets_the_promised_messages(read: Read) -> None:
    found = read(
        "demo:\n  build:\n    image: localhost:5000/myapp\n    dockerfile: Dockerfile\n"
        'registry:\n  image: registry\n  ports: ["5000:5000"]\n',
        "- service: app\n  command: ls ./\n- service: app\n  type: push\n  name: docker_push\n"
        "  image_name: localhost:5000/myapp\n  registry: localhost:5000\n",
    )
    assert errors(found) == [
        'codeship-steps.yml:1:12: error: step 1 refers to undefined service "app"; '
        'did you mean "demo"?',
        'codeship-steps.yml:3:12: error: step "docker_push" refers to undefined service "app"; '
        'did you mean "demo"?',
    ]
    assert {p.hint for p in found.problems if p.code == "LS064"} == {
        "defined services: demo, registry"
    }


def test_an_empty_steps_file_succeeds_with_a_warning(read: Read) -> None:
    found = read(_SERVICE, "")
    assert found.project is not None
    assert found.project.steps is not None
    assert found.project.steps.steps == ()
    assert [p.code for p in found.problems] == ["LS012"]


def test_both_forms_of_the_services_file_are_equal(read: Read) -> None:
    nested = read("version: '3'\nvolumes: {data: {}}\nservices:\n  app:\n    image: busybox\n")
    assert nested.problems == ()
    assert nested.project is not None
    assert list(nested.project.services.services) == ["app"]
    own = read("services:\n  image: busybox\n")
    assert own.project is not None
    assert list(own.project.services.services) == ["services"]


@pytest.mark.parametrize(
    ("below", "names"),
    [
        ("build: {image: base}, test: {image: base}", ["build", "test"]),
        ("build: {image: base}, test: {build: {context: .}}", ["build", "test"]),
        ("test: {image: base}, build: {context: ., command: make}", ["test", "build"]),
        ("image: {image: base}, dockerfile: {image: base}", ["image", "dockerfile"]),
        ("build: {image: base}, environment: {image: a}", ["services"]),
        ("build: {image: base}", ["services"]),
        ("build: ., links: [a]", ["services"]),
    ],
)
def test_a_service_called_build_beside_others_does_not_make_a_service_of_all(
    read: Read, below: str, names: list[str]
) -> None:
    """In doubt a map under "services" that has a build is a service of that name (F-13)."""
    found = read(f"services: {{{below}}}\n").services
    assert found is not None
    assert list(found.services) == names


def test_in_a_compose_file_services_is_never_a_service(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("services: {build: {image: base}}\n")
    found = load(tmp_path, need_steps=False).services
    assert found is not None
    assert list(found.services) == ["build"]


def test_a_compose_file_may_name_the_built_image_beside_build(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("app:\n  build: .\n  image: user/app\n")
    found = load(tmp_path, need_steps=False)
    assert found.project is not None
    entry = found.project.services.services["app"]
    assert (entry.image, entry.build and entry.build.image) == (None, "user/app")


def test_all_kinds_of_steps_are_read_with_their_places(read: Read) -> None:
    found = read(
        _SERVICE,
        "- {name: 08, service: app, command: true}\n"
        "- type: parallel\n  service: app\n  steps:\n"
        "  - {type: push, image_name: user/app, image_tag: 9.10}\n"
        "  - steps: [{command: ls, on_fail: [{command: cat log}]}]\n",
    )
    assert found.project is not None, found.problems
    assert found.project.steps is not None
    run, group = found.project.steps.steps
    assert isinstance(run, RunEntry)
    assert (run.name, run.command, run.text) == ("08", ("true",), "true")
    assert isinstance(group, GroupEntry)
    push, serial = group.steps
    assert isinstance(push, PushEntry)
    assert (push.ordinal, push.image_tags) == ("2.1", ("9.10",))
    assert isinstance(serial, GroupEntry)
    inner = serial.steps[0]
    assert inner.ordinal == "2.2.1"
    assert inner.on_fail[0].command == ("cat", "log")
    assert str(run.where("service")) == "codeship-steps.yml:1:23"


def test_problems_of_both_files_are_told_at_once_and_sorted(read: Read) -> None:
    found = read("app:\n  biuld: .\nb:\n  image: X\n", "- command: ls\n- service: c\n")
    assert [str(p.place) for p in found.problems] == [
        "codeship-services.yml:2:3",
        "codeship-services.yml:4:10",
        "codeship-steps.yml:1:3",
        "codeship-steps.yml:2:3",
    ]


def test_a_fault_behind_an_alias_is_told_once(read: Read) -> None:
    found = read(_SERVICE, "- &a {service: nope, command: ls}\n- *a\n- <<: *a\n  command: pwd\n")
    assert len(errors(found)) == 1


@pytest.mark.parametrize("nothing", ["", "null", "~"])
def test_a_command_of_nothing_is_empty(read: Read, nothing: str) -> None:
    found = read(_SERVICE, f"- service: app\n  command: {nothing}\n")
    assert [problem.code for problem in found.problems] == ["LS069"]
