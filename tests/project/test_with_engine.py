"""`scripts/with-engine`, which gives users with sudo a private engine for the time of a command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPTS = Path(__file__).parents[2] / "scripts"

_ENGINE = """
import sys
import beside
sys.stdout.write("unix:///engine.sock\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the script, where no engine answers and the private one is a stand-in."""
    shutil.copytree(_SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "scripts/engine_answers.py").write_text("raise SystemExit(1)\n")
    (tmp_path / "scripts/private_engine.py").write_text(_ENGINE)
    (tmp_path / "scripts/beside.py").touch()
    python = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
    sudo = '#!/bin/sh\n[ "$1" != -v ] || exit 0\nshift\nexec "$@"\n'
    _program(tmp_path / ".venv/bin/python", python)
    _program(tmp_path / "bin/sudo", sudo)
    _program(tmp_path / "bin/id", "#!/bin/sh\necho 1000\n")
    return tmp_path


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _with_engine(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (project / "scripts/with-engine", *command),
        env={"PATH": f"{project}/bin:{os.environ['PATH']}", "TMPDIR": str(project)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_command_finds_the_private_engine_and_its_exit_code_is_kept(project: Path) -> None:
    done = _with_engine(project, "sh", "-c", "echo $DOCKER_HOST; exit 3")
    assert done.returncode == 3, done.stderr
    assert done.stdout == "unix:///engine.sock\n"
    assert not list(project.glob("tmp.*"))


def test_root_leaves_nothing_in_the_project_of_the_caller(project: Path) -> None:
    done = _with_engine(project, "true")
    assert done.returncode == 0, done.stderr
    assert not (project / "scripts/__pycache__").exists()
