"""Folders on disk are gone with the run that made them, or with the next one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from longshore.testing.disk_folder import disk_folder

_OTHER = """
import sys
from pathlib import Path
from longshore.testing.disk_folder import disk_folder
with disk_folder(Path(sys.argv[1])) as folder:
    (folder / "file").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another run with a folder in the same place."""
    with subprocess.Popen(
        [sys.executable, "-c", _OTHER, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def _folder_of(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_a_folder_is_there_and_empty_until_the_block_ends(tmp_path: Path) -> None:
    with disk_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    left = _folder_of(other)
    other.kill()
    other.wait()
    assert (left / "file").exists()
    with disk_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_the_folder_of_a_run_that_lives_and_what_is_not_ours_stay(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    (tmp_path / "somebody-else").mkdir()
    alive = _folder_of(other)
    with disk_folder(tmp_path), disk_folder(tmp_path):
        assert len(list(tmp_path.iterdir())) == 4
    assert (alive / "file").exists()
    assert (tmp_path / "somebody-else").exists()
