"""Start-up is part of the product: what is not needed is not imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"aiohttp", "yaml", "anyio", "cryptography", "asyncio", "isal"}
ENGINE = {"aiohttp", "anyio", "cryptography", "longshore.engine.docker"}


def imported(directory: Path, *words: str, exit_code: int = 0) -> set[str]:
    """The modules in memory after the program ran with `words` and ended with `exit_code`."""
    code = (
        "import sys\n"
        f"sys.argv = ['longshore', *{list(words)!r}]\n"
        "from longshore.cli.entry import main\n"
        "try:\n    main()\n"
        f"except SystemExit as stop:\n    assert (stop.code or 0) == {exit_code}, stop.code\n"
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


PROJECT = ("longshore.config.", "longshore.plan.")
WITHOUT_A_PROJECT = {"longshore.config.credential_keys", "longshore.config.base_images"}


def test_a_push_reads_no_project_and_imports_nothing_that_does(project: Path) -> None:
    modules = imported(project, "push", "oci:image", exit_code=2)
    reading = {name for name in modules if name.startswith(PROJECT)} - WITHOUT_A_PROJECT
    assert "longshore.commands.push" in modules
    assert not reading
    assert "yaml" not in modules


def test_what_only_a_private_engine_or_an_image_file_needs_waits_for_one(project: Path) -> None:
    modules = imported(project, "push", "oci:image", exit_code=2)
    waiting = ("longshore.engine.embedded", "longshore.image.oci_layout")
    assert not {name for name in modules if name.startswith(waiting)}


def test_steps_without_a_key_file_load_neither_a_registry_client_nor_a_cipher(
    project: Path,
) -> None:
    words = ("steps", "--engine", "unix:///nonexistent/docker.sock")
    modules = imported(project, *words, exit_code=125)
    assert "longshore.engine.docker.engine" in modules
    assert not modules & {"aiohttp", "cryptography", "longshore.registry.client"}
    assert not {name for name in modules if name.startswith("longshore.engine.embedded")}


def test_steps_that_build_nothing_load_neither_builder_nor_archives(project: Path) -> None:
    words = ("steps", "--engine", "unix:///nonexistent/docker.sock")
    modules = imported(project, *words, exit_code=125)
    assert "longshore.engine.docker.engine" in modules
    builders = {f"longshore.engine.docker.{name}" for name in ("buildx", "classic", "context")}
    assert not modules & {*builders, "tarfile", "tempfile", "shutil", "bz2", "lzma"}
