"""``longshore validate``: everything that is wrong with the two files (spec C-17)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from longshore.commands.project import Examined, ProjectChoice, examined, has_errors, merged
from longshore.commands.undecryptable import undecryptable
from longshore.config.problem import Problem, Severity
from longshore.environment import Environment
from longshore.plan.facts import BuildFacts
from longshore.plan.selection import Selection
from longshore.report.diagnostics import Format, Terminal, render
from longshore.report.sink import Sink
from longshore.secrets.key_lookup import KeySource


class Validation(Struct, frozen=True, kw_only=True):
    """What `validate` was asked for. `confirm` asks the user and may raise UsageError."""

    format: Format = Format.TEXT
    strict: bool = False
    fix: bool = False
    confirm: Callable[[str], bool] = lambda question: False
    key_path: Path | None = None


def validate(
    choice: ProjectChoice,
    facts: BuildFacts,
    options: Validation,
    environment: Environment,
    sink: Sink,
    terminal: Terminal,
) -> int:
    """Print all problems to standard output; 2 when one is an error, else 0."""
    found = examined(choice, facts, Selection())
    if options.fix:
        from longshore.commands.fix import fix  # needed by few

        source = found.sources.get(found.services.path if found.services else "")
        if fix(source, options.confirm, sink):
            found = examined(choice, facts, Selection())
    keys = KeySource(environment=environment, directory=choice.directory, key_path=options.key_path)
    closed = undecryptable(found.services, found.steps, choice.directory, keys)
    problems = merged(found.problems, closed)
    if options.strict:
        problems = _strict(problems)
    sink.write(render(problems, found.sources, options.format, terminal))
    if options.format is Format.TEXT:
        _conclude(found, problems, sink)
    return 2 if has_errors(problems) else 0


def _strict(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(replace(problem, severity=Severity.ERROR) for problem in problems)


def _conclude(found: Examined, problems: Sequence[Problem], sink: Sink) -> None:
    if not has_errors(problems):
        paths = [file.path for file in (found.services, found.steps) if file is not None]
        names = " and ".join(Path(path).name for path in paths)
        sink.write(f"{names} are valid\n")
        return
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    counts = [(errors, "error"), (len(problems) - errors, "warning")]
    shown = [f"{number} {what}{'' if number == 1 else 's'}" for number, what in counts if number]
    sink.tell(f"Error: {' and '.join(shown)}\n")
