"""`scripts/demo` ends what a killed demo left, and nothing else."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

_SCRIPTS = Path(__file__).parents[2] / "scripts"

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the script, whose port another program has."""
    shutil.copytree(_SCRIPTS, tmp_path / "scripts")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(shutil.which("true") or "true")
    (tmp_path / ".demo").mkdir()
    return tmp_path


@pytest.fixture
def start(project: Path) -> Iterator[Start]:
    """Start a process whose command line looks like that, with its number in a file."""
    with ExitStack() as stack:

        def started(file: str, *words: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-c", "input()", *words]
            process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE))
            stack.callback(process.kill)
            (project / ".demo" / file).write_text(f"{process.pid}\n")
            return process

        yield started


def _demo(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([project / "scripts/demo"], capture_output=True, text=True, check=False)


def test_a_second_demo_leaves_the_first_alone_and_says_that_it_runs(
    project: Path, start: Start
) -> None:
    registry = start("registry.pid", "longshore", "registry", "serve")
    first = start("demo.pid", "scripts/demo")
    done = _demo(project)
    assert done.returncode == 1
    assert f"the example runs already, as process {first.pid}" in done.stderr
    assert registry.poll() is None


def test_the_registry_of_a_killed_demo_is_ended(project: Path, start: Start) -> None:
    registry = start("registry.pid", "longshore", "registry", "serve")
    start("demo.pid", "somebody", "else", "by", "now")
    done = _demo(project)
    assert registry.wait(10) != 0
    assert "port 5000 is taken by another program" in done.stderr
