"""Plans compiled from two texts."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Protocol

import pytest

from longshore.commands.project import Examined, ProjectChoice, examined
from longshore.config.problem import Severity
from longshore.plan.facts import BuildFacts
from longshore.plan.model import Plan
from longshore.plan.selection import Selection

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "repos"


class Examine(Protocol):
    """Writes the two files into the project directory and examines them."""

    def __call__(
        self,
        services: str,
        steps: str = "[]",
        selection: Selection = ...,
        facts: BuildFacts = ...,
    ) -> Examined: ...


class Compile(Protocol):
    """As `Examine`, for files without errors: the plan."""

    def __call__(
        self,
        services: str,
        steps: str = "[]",
        selection: Selection = ...,
        facts: BuildFacts = ...,
    ) -> Plan: ...


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a Dockerfile, which is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


@pytest.fixture
def examine(project: Path) -> Examine:
    def run(
        services: str,
        steps: str = "[]",
        selection: Selection = Selection(),  # noqa: B008  # frozen
        facts: BuildFacts = BuildFacts(),  # noqa: B008  # frozen
    ) -> Examined:
        (project / "codeship-services.yml").write_text(dedent(services))
        (project / "codeship-steps.yml").write_text(dedent(steps))
        return examined(ProjectChoice(directory=project), facts, selection)

    return run


@pytest.fixture
def compile_(examine: Examine) -> Compile:
    def run(
        services: str,
        steps: str = "[]",
        selection: Selection = Selection(),  # noqa: B008  # frozen
        facts: BuildFacts = BuildFacts(),  # noqa: B008  # frozen
    ) -> Plan:
        found = examine(services, steps, selection, facts)
        errors = [str(p) for p in found.problems if p.severity is Severity.ERROR]
        assert found.plan is not None, errors
        return found.plan

    return run


@pytest.fixture(scope="session")
def corpus_pairs() -> list[ProjectChoice]:
    """Every folder of the corpus that holds both files."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus of public files is not on this machine")
    found = []
    for folder in sorted({path.parent for path in CORPUS.rglob("*") if path.is_file()}):
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
        services = next((n for n in names if "services" in n or "compose" in n), None)
        steps = next((n for n in names if "steps" in n), None)
        if services and steps:
            found.append(ProjectChoice(directory=folder, services_path=services, steps_path=steps))
    return found
