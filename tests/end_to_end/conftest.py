"""The program as users run it: a process of its own, on a real engine."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from longshore.engine.endpoint import Endpoint

PROGRAM = Path(sys.executable).parent / "longshore"


@dataclass
class User:
    """Somebody with a project directory, an engine, and a home of their own."""

    directory: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`longshore` to its end, with both outputs."""
        return subprocess.run(
            [PROGRAM, *words],
            cwd=self.directory,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`longshore` in the background; killed at the end of the test at the latest."""
        process = subprocess.Popen(
            [PROGRAM, *words],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process


@pytest.fixture
def user(tmp_path: Path, engine_endpoint: Endpoint, busybox_image: str) -> Iterator[User]:
    """A user with an empty project, whose engine has `longshore-test/busybox`."""
    home = tmp_path / "home"
    project = tmp_path / "project"
    home.mkdir()
    project.mkdir()
    user = User(project, _environment(home, {"DOCKER_HOST": engine_endpoint.url}))
    yield user
    for process in user.processes:
        process.kill()
        process.communicate()
    user.run("cleanup")


def _environment(home: Path, variables: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        **variables,
    }


def wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    """Read standard output up to a line with `text`; what was read so far."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} never came; there was:\n{seen}{process.communicate()[1]}")


@pytest.fixture
def wait_for() -> object:
    """`wait_for_line`, for tests."""
    return wait_for_line
