"""The program as its users start it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from longshore.environment import Environment

PROGRAM = Path(sys.executable).with_name("longshore")


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it wrote."""

    code: int
    out: str
    err: str


class Program(Protocol):
    """Runs ``longshore`` with these words in the project directory."""

    def __call__(self, *words: str, **variables: str) -> Ended: ...


def output_of(directory: Path, *words: str, environment: Mapping[str, str]) -> str:
    """What a program that has to work prints there, with these variables besides ours."""
    done = subprocess.run(
        words,
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with two valid files."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "codeship-services.yml").write_text("demo: {build: .}\n")
    (tmp_path / "codeship-steps.yml").write_text("- {service: demo, command: ls, tag: v1}\n")
    return tmp_path


@pytest.fixture
def longshore(project: Path) -> Program:
    def run(*words: str, **variables: str) -> Ended:
        return ended([str(PROGRAM), *words], project, variables)

    return run


def ended(command: list[str], directory: Path, variables: Mapping[str, str]) -> Ended:
    """Run a command to its end."""
    values = {**Environment.of_process().values, **variables}
    done = subprocess.run(
        command, cwd=directory, env=values, capture_output=True, text=True, timeout=20, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)
