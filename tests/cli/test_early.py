"""What cannot work is told before anything starts, not after an hour of tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Program


@pytest.mark.parametrize(
    ("name", "what"),
    [
        (".", "is a directory"),
        ("none/pushed.json", "is in no directory that exists"),
        ("-", "is no file: standard output is for digests and logs"),
    ],
)
def test_a_metadata_file_that_cannot_be_written(longshore: Program, name: str, what: str) -> None:
    done = longshore("steps", "--push", "--engine", "unix:///none", "--metadata-file", name)
    assert done.err == f"Error: --metadata-file {name} {what}\nhint: name the file to write\n"
    assert done.code == 2


def test_logins_are_tried_where_a_dockerfile_cannot_be_looked_at(
    longshore: Program, project: Path
) -> None:
    """As one below a directory of root's; here by a name that no file can have."""
    services = project / "codeship-services.yml"
    services.write_text(f"demo: {{build: {{context: ., dockerfile: {'x' * 300}}}}}\n")
    done = longshore("login-check", "--tag", "v1")
    assert done.code == 0


@pytest.mark.parametrize("words", [["steps"], ["env", "demo"]])
def test_a_variable_without_a_name(longshore: Program, words: list[str]) -> None:
    done = longshore(*words, "-e", "=value")
    assert done.err.startswith("Error: --env names no variable\nhint: ")
    assert (done.code, done.out) == (2, "")


def test_a_registry_in_a_file(longshore: Program, project: Path) -> None:
    done = longshore("registry", "serve", "--port", "0", "--dir", "Dockerfile")
    assert (
        done.err
        == "Error: cannot write Dockerfile: Not a directory\nhint: --dir takes a directory\n"
    )
    assert done.code == 2
