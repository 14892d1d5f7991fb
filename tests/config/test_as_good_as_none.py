"""What says nothing, or names what cannot be read, is told apart from what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from longshore.config.model import RunEntry

from .conftest import Read


@pytest.mark.parametrize(
    "text", ['- {service: "", command: ls}', '- {service: "", type: push, image_name: a}']
)
def test_an_empty_service_is_none_and_told(text: str, read: Read) -> None:
    found = read("app: {build: .}\n", text)
    assert found.project is None
    assert {problem.code for problem in found.problems} == {"LS025", "LS062"}


def test_an_empty_service_below_a_group_is_the_groups(read: Read) -> None:
    """As for Go, where an empty text and no text are one."""
    found = read("app: {build: .}\n", '- {service: app, steps: [{service: "", command: ls}]}')
    assert found.project is not None
    assert [problem.code for problem in found.problems] == ["LS025"]


@pytest.mark.parametrize("nothing", ["", '""', "~"])
@pytest.mark.parametrize("key", ["tag", "exclude", "type"])
def test_an_empty_condition_or_type_is_none_and_told(key: str, nothing: str, read: Read) -> None:
    """An empty tag matched no build tag, and the step never ran."""
    found = read("app: {build: .}\n", f"- service: app\n  command: ls\n  {key}: {nothing}\n")
    assert [problem.code for problem in found.problems] == ["LS025"]
    assert found.project is not None
    assert found.project.steps is not None
    (step,) = found.project.steps.steps
    assert isinstance(step, RunEntry)
    assert (step.tag, step.exclude) == (None, None)


def test_files_under_an_old_and_a_new_name_have_places_of_their_own(read: Read) -> None:
    found = read("app:\n  build: .\n  encrypted_env_file: [a, b]\n  encrypted_env: c\n")
    told = [(problem.place.line, problem.message) for problem in found.problems]
    assert told == [
        (3, 'encrypted_env_file "a" does not exist'),
        (3, 'encrypted_env_file "b" does not exist'),
        (4, 'key "encrypted_env" is deprecated'),
        (4, 'encrypted_env_file "c" does not exist'),
    ]


def test_what_is_there_and_cannot_be_read_does_not_not_exist(read: Read, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    found = read("app:\n  build: .\n  env_file: [folder, loop]\n")
    assert [problem.message for problem in found.problems] == [
        'env_file "folder" is a directory',
        'env_file "loop" does not exist',
    ]


def test_privileged_is_ignored_whatever_it_says(read: Read) -> None:
    found = read("app: {build: ., privileged: '${PRIV:-false}'}\n")
    assert found.project is not None
    assert [problem.code for problem in found.problems] == ["LS023"]
