"""Reading a project and compiling its plan, for every command that needs one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from longshore.config.load import load, read_text
from longshore.config.model import ServicesFile, StepsFile
from longshore.config.problem import Place, Problem, Severity
from longshore.errors import UsageError
from longshore.plan.check import check_plan
from longshore.plan.compile import Compiled, compile_plan
from longshore.plan.facts import BuildFacts
from longshore.plan.model import Plan
from longshore.plan.selection import Selection
from longshore.report.sink import Sink

if TYPE_CHECKING:
    from longshore.report.diagnostics import Sources


class ProjectChoice(Struct, frozen=True, kw_only=True):
    """Which files: the project directory, and paths below it that replace the search (F-4)."""

    directory: Path
    services_path: str | None = None
    steps_path: str | None = None


def has_errors(problems: Sequence[Problem]) -> bool:
    """Whether one of the problems is an error."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def _stopped(problems: Sequence[Problem]) -> bool:
    return any(problem.stops for problem in problems)


class Examined(Struct, frozen=True, kw_only=True):
    """All that can be told of a project: `plan` is None when a problem stops everything.

    `services` and `steps` are the two files, None for one that could not be read.
    """

    plan: Plan | None
    problems: tuple[Problem, ...]
    sources: Sources
    services: ServicesFile | None
    steps: StepsFile | None
    notices: tuple[str, ...] = ()


def examined(
    choice: ProjectChoice, facts: BuildFacts, selection: Selection, *, need_steps: bool = True
) -> Examined:
    """Read, check and compile a project; problems are sorted, one a fault.

    Raises UsageError for a directory that is not there and for unknown names in `selection`.
    """
    if not choice.directory.is_dir():
        raise UsageError(
            f'there is no directory "{choice.directory}"',
            hint="give --dir the directory of codeship-services.yml and codeship-steps.yml",
        )
    loaded = load(
        choice.directory,
        services_path=choice.services_path,
        steps_path=choice.steps_path,
        need_steps=need_steps,
    )
    problems = merged(loaded.problems, check_plan(loaded.services, loaded.steps, read_text))
    compiled = Compiled(None, ())
    if loaded.project is not None and not _stopped(problems):
        compiled = compile_plan(loaded.project, facts, selection, read_text)
    faults = _argument_faults(compiled.plan) if need_steps and compiled.plan else ()
    return Examined(
        plan=None if faults else compiled.plan,
        problems=merged(problems, compiled.problems, faults),
        sources=loaded.sources,
        services=loaded.services,
        steps=loaded.steps,
        notices=compiled.notices,
    )


def _argument_faults(plan: Plan) -> tuple[Problem, ...]:
    """Those of the images that steps need; a service used by name is looked at when it is (C-9)."""
    if not plan.faults:
        return ()
    from longshore.run.needs import images_of_need, needs_of_steps

    images = (image for need in needs_of_steps(plan) for image in images_of_need(plan, need))
    return tuple(fault for image in images for fault in plan.faults.get(image.key, ()))


def merged(*found: Sequence[Problem]) -> tuple[Problem, ...]:
    """By place; of two that say the same of one place, the first."""
    kept: dict[tuple[Place, str], Problem] = {}
    for problem in chain.from_iterable(found):
        kept.setdefault((problem.place, problem.code), problem)
    return tuple(sorted(kept.values(), key=lambda p: (p.place, p.code)))


def planned(
    choice: ProjectChoice,
    facts: BuildFacts,
    selection: Selection,
    sink: Sink,
    *,
    need_steps: bool = True,
    warnings: bool = False,
) -> Plan | None:
    """The compiled plan; None when the files have errors, which are told.

    Warnings are told with `warnings` or beside errors, else only how many there are (F-18).
    """
    found = examined(choice, facts, selection, need_steps=need_steps)
    if warnings or _stopped(found.problems):
        from longshore.report.diagnostics import Terminal, render

        terminal = Terminal(excerpts=sink.err_terminal, hints=True, colours=sink.err_colours)
        sink.tell(render(found.problems, found.sources, terminal=terminal))
    elif found.problems:
        count = len(found.problems)
        sink.tell(
            f"notice: {count} warning{'' if count == 1 else 's'} about the files: "
            '"longshore validate" shows them\n'
        )
    sink.tell("".join(f"notice: {notice}\n" for notice in found.notices))
    return found.plan
