"""Reading a project and compiling its plan, for every command that needs one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from longshore.config.load import load, read_text
from longshore.config.problem import Problem, Severity
from longshore.errors import UsageError
from longshore.plan.compile import compile_plan
from longshore.plan.facts import BuildFacts
from longshore.plan.focus import focused
from longshore.plan.model import Plan
from longshore.plan.selection import Selection
from longshore.report.diagnostics import Terminal, render
from longshore.report.sink import Sink
from longshore.report.style import Style


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChoice:
    """Which files: the project directory, and paths below it that replace the search (F-4)."""

    directory: Path
    services_path: str | None = None
    steps_path: str | None = None


def has_errors(problems: Sequence[Problem]) -> bool:
    """Whether one of the problems stops everything."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def planned(
    choice: ProjectChoice,
    facts: BuildFacts,
    selection: Selection,
    sink: Sink,
    style: Style,
    *,
    need_steps: bool = True,
) -> Plan | None:
    """The compiled plan; None when the files have errors. All problems are told either way."""
    if not choice.directory.is_dir():
        raise UsageError(f"there is no directory {choice.directory}", hint="see --dir")
    loaded = load(
        choice.directory,
        services_path=choice.services_path,
        steps_path=choice.steps_path,
        need_steps=need_steps,
    )
    problems = loaded.problems
    plan = None
    if loaded.project is not None and not has_errors(problems):
        compiled = compile_plan(loaded.project, facts, selection, read_text)
        problems = tuple(sorted({*problems, *compiled.problems}, key=lambda p: (p.place, p.code)))
        plan = compiled.plan
    terminal = Terminal(excerpts=style.colour, colours=style.colour)
    sink.tell(render(problems, loaded.sources, terminal=terminal))
    return None if plan is None else focused(plan, selection)
