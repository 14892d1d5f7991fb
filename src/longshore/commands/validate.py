"""``longshore validate``: everything that is wrong with the two files (spec C-17)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from longshore.commands.project import Examined, ProjectChoice, examined, has_errors
from longshore.config.fix import Fixed, fix_services
from longshore.config.problem import Problem, Severity
from longshore.config.source import SourceText
from longshore.plan.facts import BuildFacts
from longshore.plan.selection import Selection
from longshore.report.diagnostics import Format, Terminal, render
from longshore.report.sink import Sink
from longshore.secrets.atomic_file import replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What `validate` was asked for. `confirm` asks the user and may raise UsageError."""

    format: Format = Format.TEXT
    strict: bool = False
    fix: bool = False
    confirm: Callable[[str], bool] = lambda question: False


def validate(
    choice: ProjectChoice, facts: BuildFacts, options: Validation, sink: Sink, terminal: Terminal
) -> int:
    """Print all problems to standard output; 2 when one is an error, else 0."""
    found = examined(choice, facts, Selection())
    if options.fix and _fixed(found, options, sink):
        found = examined(choice, facts, Selection())
    problems = _strict(found.problems) if options.strict else found.problems
    sink.write(render(problems, found.sources, options.format, terminal))
    if options.format is Format.TEXT:
        _conclude(found, problems, sink)
    return 2 if has_errors(problems) else 0


def _strict(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(replace(problem, severity=Severity.ERROR) for problem in problems)


def _conclude(found: Examined, problems: Sequence[Problem], sink: Sink) -> None:
    if not has_errors(problems):
        files = filter(None, (found.services_file, found.steps_file))
        names = " and ".join(Path(path).name for path in files)
        sink.write(f"{names} are valid\n")
        return
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    counts = [_count(errors, "error"), _count(len(problems) - errors, "warning")]
    sink.tell(f"Error: {' and '.join(filter(None, counts))}\n")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""


def _fixed(found: Examined, options: Validation, sink: Sink) -> bool:
    """Whether the services file was rewritten: its differences are shown, then the user asked."""
    source = found.sources.get(found.services_file or "")
    fixed = fix_services(source) if source is not None else Fixed("", ())
    if source is None or not fixed.edits:
        sink.tell("nothing to fix\n")
        return False
    sink.tell(_difference(source, fixed.text))
    count = _count(len(fixed.edits), "change")
    if not options.confirm(f"write {'this' if len(fixed.edits) == 1 else 'these'} {count}?"):
        sink.tell(f"{source.path} is left as it was\n")
        return False
    path = Path(source.path)
    replace_file(path, fixed.text.encode(), mode=path.stat().st_mode & 0o777)
    sink.tell(f"{source.path}: {count} written\n")
    return True


def _difference(source: SourceText, text: str) -> str:
    """A unified diff (as diff -u writes it)."""
    lines = difflib.unified_diff(
        source.text.splitlines(keepends=True),
        text.splitlines(keepends=True),
        fromfile=source.path,
        tofile=source.path,
    )
    ended = (
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
    return "".join(ended)
