"""Ctrl-C before anything handles it ends the program without a word (C-6)."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = [sys.executable, "-m", "longshore"]
START = """
import importlib.abc, signal, sys

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.argv = ["longshore", "validate"]
signal.signal(signal.SIGINT, {handler})
from longshore.cli.entry import main
main()
"""


def _interrupted(
    directory: Path, module: str, handler: str = "signal.default_int_handler"
) -> tuple[int, str]:
    """Exit code and standard error of a program that Ctrl-C meets when it imports `module`.

    `handler` is what it was started with: Python's own, unless the parent ignores the signal.
    """
    done = subprocess.run(
        [sys.executable, "-c", START.format(module=module, handler=handler)],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize("module", ["longshore.cli.main", "click", "longshore.errors"])
def test_an_interrupted_start_says_nothing(project: Path, module: str) -> None:
    assert _interrupted(project, module) == (-signal.SIGINT, "")


def test_an_interrupted_command_says_nothing_either(project: Path) -> None:
    assert _interrupted(project, "longshore.commands.validate") == (130, "")


def test_who_is_started_to_ignore_ctrl_c_does(project: Path) -> None:
    """As a shell's background jobs are."""
    assert _interrupted(project, "click", "signal.SIG_IGN") == (0, "")


@pytest.mark.parametrize("arguments", [[], ["validate"], ["steps", "--nosuch"]])
def test_python_m_longshore_is_the_same_program(project: Path, arguments: list[str]) -> None:
    command = shutil.which("longshore", path=str(Path(sys.executable).parent))
    assert command is not None
    script, module = (_outcome(project, [*words, *arguments]) for words in ([command], MODULE))
    assert module == script


def _outcome(directory: Path, command: list[str]) -> tuple[int, bytes, bytes]:
    done = subprocess.run(command, cwd=directory, capture_output=True, timeout=20, check=False)
    return done.returncode, done.stdout, done.stderr
