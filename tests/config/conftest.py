"""Where the public configuration files lie, and how a project is written for a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.config.load import Loaded, load
from longshore.config.problem import Severity

Read = Callable[..., Loaded]
"""The fixture `read`."""

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "repos"


def errors(found: Loaded) -> list[str]:
    """Those that keep a project from being run, with their places."""
    return [str(p) for p in found.problems if p.severity is Severity.ERROR]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of public files; they are read where they lie."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus of public files is not on this machine")
    return CORPUS


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Writes the two files into a fresh project and loads it; a Dockerfile is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")

    def written(services: str | bytes, steps: str | bytes | None = None) -> Loaded:
        for name, text in ("codeship-services.yml", services), ("codeship-steps.yml", steps):
            if text is not None:
                data = text if isinstance(text, bytes) else text.encode()
                (tmp_path / name).write_bytes(data)
        return load(tmp_path, need_steps=steps is not None)

    return written
