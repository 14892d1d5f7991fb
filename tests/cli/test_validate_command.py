"""validate: formats, exit codes, and files rewritten only after they were shown (C-17)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Program

OLD = "# ours\ndemo:\n  build:\n    path: .  # here\n"
NEW = "# ours\ndemo:\n  build:\n    context: .  # here\n"
VALID = "codeship-services.yml and codeship-steps.yml are valid\n"


def test_valid_files_are_said_to_be_valid(longshore: Program) -> None:
    done = longshore("validate")
    assert (done.code, done.out, done.err) == (0, VALID, "")


def test_a_warning_is_told_and_an_error_only_with_strict(longshore: Program, project: Path) -> None:
    (project / "codeship-services.yml").write_text(OLD)
    warning = 'codeship-services.yml:4:5: {}: key "path" is deprecated\n'
    done = longshore("validate")
    assert (done.code, done.out) == (0, warning.format("warning") + VALID)
    strict = longshore("validate", "--strict")
    assert (strict.code, strict.out) == (2, warning.format("error"))
    assert strict.err == "Error: 1 error\n"


@pytest.mark.parametrize("steps", ["", "  steps:\n", "  steps: []\n"])
def test_a_group_without_steps_is_an_error_here_and_nothing_to_do_for_a_run(
    longshore: Program, project: Path, steps: str
) -> None:
    """T-27; whoever comments all steps of a group out has such a file."""
    (project / "codeship-steps.yml").write_text(f"- name: g\n  type: parallel\n{steps}")
    done = longshore("validate")
    assert done.code == 2
    assert 'codeship-steps.yml:1:3: error: step "g" is a group without steps\n' in done.out
    shown = longshore("steps", "--list")
    assert shown.code == 0
    assert "  g (parallel)\n" in shown.out


def test_a_group_whose_steps_are_misspelt_runs_nowhere(longshore: Program, project: Path) -> None:
    (project / "codeship-steps.yml").write_text(
        "- type: serial\n  setps: [{service: demo, command: a}]\n"
    )
    assert longshore("steps", "--list").code == 2


def test_problems_of_both_files_and_of_templates_come_in_one_go(
    longshore: Program, project: Path
) -> None:
    (project / "codeship-services.yml").write_text(
        'demo: {build: {context: ., args: {A: "{{.Nope}}"}}}\nother: {image: UPPER/x}\n'
    )
    (project / "codeship-steps.yml").write_text(
        "- {service: dmo, command: a}\n- {service: demo, command: b, tag: '^('}\n"
    )
    done = longshore("validate")
    assert done.code == 2
    assert [line.split(" ")[0] for line in done.out.splitlines()] == [
        "codeship-services.yml:1:38:",
        "codeship-services.yml:2:16:",
        "codeship-steps.yml:1:13:",
        "codeship-steps.yml:2:36:",
    ]
    assert done.err == "Error: 3 errors and 1 warning\n"


@pytest.mark.parametrize("shape", ["json", "github", "sarif"])
def test_formats_for_machines_hold_nothing_else(
    longshore: Program, project: Path, shape: str
) -> None:
    (project / "codeship-services.yml").write_text(OLD)
    done = longshore("validate", "--format", shape)
    assert (done.code, done.err) == (0, "")
    if shape == "github":
        assert done.out.startswith("::warning file=codeship-services.yml,line=4,col=5,")
        return
    document = json.loads(done.out)
    found = document["problems"] if shape == "json" else document["runs"][0]["results"]
    assert len(found) == 1


def test_values_of_the_build_are_taken(longshore: Program) -> None:
    done = longshore("validate", "--ci-branch", "x", "--ci-build-id=1", "--debug")
    assert (done.code, done.out) == (0, VALID)


def test_a_missing_directory_is_a_usage_error(longshore: Program) -> None:
    done = longshore("validate", "--dir", "nowhere")
    assert done.code == 2
    assert done.err == (
        'Error: there is no directory "nowhere"\n'
        "hint: give --dir the directory of codeship-services.yml and codeship-steps.yml\n"
    )


def test_missing_files_are_named(longshore: Program, project: Path) -> None:
    for name in ("codeship-services.yml", "codeship-steps.yml"):
        (project / name).unlink()
    done = longshore("validate")
    assert done.code == 2
    assert "no services file found in . (looked for codeship-services.yml, " in done.out
    assert "no steps file found in . (looked for codeship-steps.yml, " in done.out


def test_other_paths_are_read_and_named(longshore: Program, project: Path) -> None:
    (project / "sub").mkdir()
    (project / "codeship-services.yml").rename(project / "sub/services.yml")
    (project / "codeship-steps.yml").rename(project / "sub/steps.yml")
    (project / "sub/Dockerfile").touch()
    done = longshore("validate", "--services-path=sub/services.yml", "--steps-path=sub/steps.yml")
    assert (done.code, done.out) == (0, "services.yml and steps.yml are valid\n")


def test_fix_shows_the_difference_and_asks(longshore: Program, project: Path) -> None:
    file = project / "codeship-services.yml"
    file.write_text(OLD)
    done = longshore("validate", "--fix")
    assert done.code == 2
    assert "-    path: .  # here\n+    context: .  # here\n" in done.err
    assert "hint: use --yes to agree beforehand" in done.err
    assert file.read_text() == OLD


def test_fix_with_yes_rewrites_in_place_and_validates_the_result(
    longshore: Program, project: Path
) -> None:
    file = project / "codeship-services.yml"
    file.write_text(OLD)
    file.chmod(0o640)
    done = longshore("validate", "--fix", "--yes")
    assert (done.code, done.out) == (0, VALID)
    assert file.read_text() == NEW
    assert file.stat().st_mode & 0o777 == 0o640
    again = longshore("validate", "--fix", "-y")
    assert (again.code, again.err) == (0, "nothing to fix\n")


def test_commands_that_run_tell_only_how_many_warnings_there_are(
    longshore: Program, project: Path
) -> None:
    (project / "codeship-services.yml").write_text(OLD)
    done = longshore("env", "demo")
    assert done.err == 'notice: 1 warning about the files: "longshore validate" shows them\n'
