"""`scripts/install`, with an interpreter that only says what it was asked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_SCRIPTS = Path(__file__).parents[2] / "scripts"

_PYTHON = """#!/bin/sh
case $* in
    "-m venv .venv") echo made >>made; sleep 0.5; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without an environment."""
    shutil.copytree(_SCRIPTS, tmp_path / "scripts")
    for name in ("requirements-dev.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    (tmp_path / "python").write_text(_PYTHON)
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def _start(project: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [project / "scripts/install"],
        env={"PATH": os.environ["PATH"], "PYTHON": f"{project}/python"},
    )


def test_two_at_once_make_one_environment(project: Path) -> None:
    for process in [_start(project), _start(project)]:
        assert process.wait(30) == 0
    assert (project / "made").read_text() == "made\n"


def test_what_the_environment_depends_on_makes_it_anew(project: Path) -> None:
    assert _start(project).wait(30) == 0
    (project / "pyproject.toml").write_text("# changed\n")
    assert _start(project).wait(30) == 0
    assert (project / "made").read_text() == "made\nmade\n"
