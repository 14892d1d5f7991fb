"""Which files are read: the first that is found, or the one that is named (F-3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from longshore.config.load import load

_SERVICE = "app:\n  image: busybox\n"


def test_an_empty_path_is_none_as_scripts_pass_variables_that_are_not_set(tmp_path: Path) -> None:
    (tmp_path / "codeship-services.yml").write_text(_SERVICE)
    found = load(tmp_path, services_path="", steps_path="", need_steps=False)
    assert found.problems == ()
    assert found.services is not None


@pytest.mark.parametrize(
    ("names", "used", "notice"),
    [
        (["codeship-services.yml", "docker-compose.yml"], "codeship-services.yml", False),
        (["codeship-services.json", "jet-services.yml"], "codeship-services.json", False),
        (["jet-services.json", "docker-compose.yml"], "jet-services.json", True),
        (["docker-compose.yml"], "docker-compose.yml", True),
    ],
)
def test_files_are_found_in_the_order_of_f_3(
    names: list[str], used: str, notice: bool, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).write_text('{"app": {"image": "busybox"}}')
    found = load(tmp_path, need_steps=False)
    assert found.project is not None
    assert Path(found.project.services.path).name == used
    assert [p.code for p in found.problems] == (["LS014"] if notice else [])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("codeship-services.yaml", 'rename it to "codeship-services.yml"'),
        ("Codeship-Services.yml", 'rename it to "codeship-services.yml" (lower case)'),
        ("other.yml", "--dir"),
    ],
)
def test_a_missing_file_says_which_one_may_be_meant(name: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(_SERVICE)
    (problem,) = load(tmp_path, need_steps=False).problems
    assert "no services file found in" in problem.message
    assert hint in (problem.hint or "")
    # The message, too, says so: it is all that programs and logs get (F-3, C-17).
    assert (f'; there is "{name}"' in problem.message) == (name != "other.yml")


def test_a_given_path_replaces_the_search_and_moves_the_base_of_paths(tmp_path: Path) -> None:
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "s.yml").write_text(_SERVICE)
    found = load(tmp_path, services_path="ci/s.yml", need_steps=False)
    assert found.project is not None
    assert found.project.services.directory == tmp_path / "ci"
    assert found.project.directory == tmp_path


@pytest.mark.parametrize("given", ["missing.yml", ".", "a\0b"])
def test_a_given_path_that_cannot_be_read_is_one_problem(given: str, tmp_path: Path) -> None:
    (problem,) = load(tmp_path, services_path=given, need_steps=False).problems
    assert problem.code == "LS002"
