"""Standard streams that are closed, full or left by their reader: a sentence, never a bug."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from longshore.cli.main import guarded

from .conftest import PROGRAM
from .test_main import raising

COMMANDS = ["--help", "validate", "plan", "schema services", "version"]


def in_shell(line: str, project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("words", COMMANDS)
def test_a_full_standard_output_is_one_sentence(project: Path, words: str) -> None:
    done = in_shell(f"{PROGRAM} {words} >/dev/full", project)
    assert done.stderr == "Error: standard output cannot be written: no space left on device\n"
    assert done.returncode == 1


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_taken_for_the_null_device(
    project: Path, words: str, closed: str
) -> None:
    done = in_shell(f"{PROGRAM} {words} {closed}", project)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_keeps_its_exit_code_where_nobody_can_read_of_it(project: Path) -> None:
    assert in_shell(f"{PROGRAM} steps --bogus 2>/dev/full", project).returncode == 2
    assert in_shell(f"{PROGRAM} steps --bogus 2>&-", project).returncode == 2


def test_a_reader_that_leaves_a_run_is_no_bug(capfd: pytest.CaptureFixture[str]) -> None:
    spare = os.dup(1)
    try:
        code = guarded(raising(ExceptionGroup("g", [ExceptionGroup("h", [BrokenPipeError()])])))
    finally:
        os.dup2(spare, 1)
        os.close(spare)
    assert (code, capfd.readouterr().err) == (1, "")


@pytest.mark.parametrize("words", ["steps", "validate", "encrypt a b", "env demo"])
def test_a_current_directory_that_was_removed_is_one_sentence(project: Path, words: str) -> None:
    done = in_shell(f"mkdir gone; cd gone; rmdir ../gone; {PROGRAM} {words}", project)
    assert done.returncode == 2
    assert "bug" not in done.stderr
    assert done.stderr.startswith("Error: ")


def test_what_needs_no_directory_works_without_one(project: Path) -> None:
    done = in_shell(f"mkdir gone; cd gone; rmdir ../gone; {PROGRAM} version", project)
    assert (done.returncode, done.stderr) == (0, "")
