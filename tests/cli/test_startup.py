"""Start-up is part of the product: what is not needed is not imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"aiohttp", "aiodocker", "yaml", "rich", "anyio", "cryptography", "asyncio", "isal"}
ENGINE = {"aiohttp", "aiodocker", "anyio", "rich", "cryptography", "longshore.engine.docker"}


def imported(directory: Path, *words: str) -> set[str]:
    """The modules in memory after the program ran with `words`."""
    code = (
        "import sys\n"
        f"sys.argv = ['longshore', *{list(words)!r}]\n"
        "from longshore.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "print('\\nmodules', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return set(done.stdout.rpartition("\nmodules")[2].split())


@pytest.mark.parametrize(
    "words", [["version"], ["--help"], [], ["help", "steps"], ["steps", "--help"], ["help"]]
)
def test_help_and_version_import_nothing_heavy(project: Path, words: list[str]) -> None:
    assert not imported(project, *words) & HEAVY


@pytest.mark.parametrize("words", [["validate"], ["plan"], ["plan", "--format", "json"]])
def test_what_needs_no_engine_imports_none(project: Path, words: list[str]) -> None:
    modules = imported(project, *words)
    assert not modules & ENGINE
    assert not {name for name in modules if name.startswith("longshore.registry")}
