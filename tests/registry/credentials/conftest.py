"""A docker configuration of the test's own, with credential helpers that are real programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.environment import Environment

MakeHelper = Callable[[str, str], None]
MakeConfig = Callable[[object], Environment]


@pytest.fixture
def make_helper(tmp_path: Path) -> MakeHelper:
    """Makes ``docker-credential-NAME`` from the body of a shell script."""

    def make(name: str, body: str) -> None:
        programs = tmp_path / "bin"
        programs.mkdir(exist_ok=True)
        program = programs / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)

    return make


@pytest.fixture
def make_config(tmp_path: Path) -> MakeConfig:
    """Writes ``config.json`` and gives the environment in which it and the helpers are found."""

    def make(document: object) -> Environment:
        (tmp_path / "docker").mkdir(exist_ok=True)
        (tmp_path / "docker" / "config.json").write_text(json.dumps(document))
        path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
        return Environment({"DOCKER_CONFIG": str(tmp_path / "docker"), "PATH": path})

    return make
