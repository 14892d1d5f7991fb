"""The lock of `make lock` fits the declaration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements-dev.txt").read_text()


def _name(requirement: str) -> str:
    """PEP 503: runs of ``-_.`` are one dash, case does not matter."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_everything_declared_is_locked() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = (
        *declared["build-system"]["requires"],
        *declared["project"]["dependencies"],
        *declared["dependency-groups"]["dev"],
    )
    locked = {_name(line) for line in LOCK.splitlines() if re.match(r"\w", line)}
    assert {_name(requirement) for requirement in requirements} <= locked


def test_every_locked_package_has_a_version_and_hashes_and_no_address() -> None:
    entries = re.split(r"\n(?=\w)", LOCK)[1:]
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[0-9]", entry), entry[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:60]
    assert "://" not in LOCK


@pytest.mark.parametrize(
    ("machine", "wanted"),
    [("x86_64", True), ("aarch64", True), ("arm64", True), ("armv7l", False), ("ppc64le", False)],
)
def test_isal_is_wanted_where_it_needs_no_build(machine: str, wanted: bool) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = re.search(r"^isal==.* ;.*(?= \\)", LOCK, re.MULTILINE)
    assert locked is not None
    for text in (*declared["project"]["dependencies"], locked[0]):
        requirement = Requirement(text)
        if requirement.name == "isal":
            assert requirement.marker is not None
            assert requirement.marker.evaluate({"platform_machine": machine}) is wanted


@pytest.mark.parametrize("broken", ["python3", "uv"])
def test_a_lock_that_cannot_be_made_leaves_the_one_that_is_there(
    tmp_path: Path, broken: str
) -> None:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "requirements-dev.txt").write_text("as it was\n")
    for name in ("python3", "uv"):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {int(name == broken)}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [tmp_path / "scripts/lock"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert (tmp_path / "requirements-dev.txt").read_text() == "as it was\n"
    assert not (tmp_path / "requirements-dev.txt.new").exists()
