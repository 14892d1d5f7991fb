from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from longshore.secrets.tracked import is_ignored, is_tracked


def git(directory: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=directory, check=True, capture_output=True)


def test_tracked_ignored_and_unknown_files_are_told_apart(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / ".gitignore").write_text("ignored\n")
    for name in ("tracked", "ignored", "-odd name", "unknown"):
        (tmp_path / name).touch()
    git(tmp_path, "add", "tracked", "--", "./-odd name")
    assert [is_tracked(tmp_path / name) for name in ("tracked", "-odd name", "unknown")] == [
        True,
        True,
        False,
    ]
    assert is_ignored(tmp_path / "ignored")
    assert not is_ignored(tmp_path / "unknown")


def test_outside_of_a_repository_nothing_is_tracked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert not is_tracked(tmp_path / "x")
    assert is_ignored(tmp_path / "x")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not is_tracked(tmp_path / "x")
