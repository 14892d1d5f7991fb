"""The project's two files from disk; no other module of `longshore.config` reads from it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from longshore.config import codes
from longshore.config.check import check
from longshore.config.check_files import check_files
from longshore.config.discovery import COMPOSE, SERVICES_NAMES, STEPS_NAMES, NotFound, find
from longshore.config.model import Project, ServicesFile, StepsFile
from longshore.config.node import Node
from longshore.config.problem import Place, Problem, Problems, Severity
from longshore.config.report import Report
from longshore.config.services import read_services
from longshore.config.source import MAX_BYTES, SourceText, decode, too_large
from longshore.config.steps import read_steps
from longshore.config.yaml_source import read_yaml

MAX_PROBLEMS = 1000
"""More are not told: nobody reads them, and a hostile file could make millions."""
_MAX_DOCKERFILE = 1024 * 1024


class Loaded(Struct, frozen=True):
    """What the files say, and all that is wrong with them, sorted by place.

    `project` is None when a problem is an error. `sources` are the texts by the path that places
    name, for showing lines; a file that could not be decoded has none. `services` and `steps` are
    what could be read, for checks that look at files with errors too.
    """

    project: Project | None
    problems: tuple[Problem, ...]
    sources: Mapping[str, SourceText]
    services: ServicesFile | None = None
    steps: StepsFile | None = None


def load(
    directory: Path,
    *,
    services_path: str | None = None,
    steps_path: str | None = None,
    need_steps: bool = True,
) -> Loaded:
    """Find, read and check the files of the project in `directory` (spec section 1).

    `services_path` and `steps_path` replace the search and are relative to `directory` (F-4, F-8).
    Never raises for what the files say, nor for files that are missing or cannot be read.
    """
    loader = _Loader(Path(os.path.abspath(directory)))  # noqa: PTH100 - links stay
    services = loader.services(services_path)
    steps = loader.steps(steps_path) if need_steps else None
    report = Report(loader.problems)
    check(services, steps, report)
    if services is not None:
        check_files(services, steps, loader.directory, report, read_text)
    problems = _limited(loader.problems)
    project = None
    if services is not None and (steps is not None or not need_steps):
        project = Project(directory=loader.directory, services=services, steps=steps)
    failed = any(problem.stops for problem in problems)
    return Loaded(None if failed else project, problems, loader.sources, services, steps)


def read_text(path: Path) -> str | None:
    """The text of a Dockerfile or the like, or None when there is no such readable file.

    A pipe or a device is none: it may never end.
    """
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(_MAX_DOCKERFILE).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None


def _limited(problems: Problems) -> tuple[Problem, ...]:
    """The problems by place; when there are too many, errors first and a last one that says so."""
    found = problems.sorted()
    if len(found) <= MAX_PROBLEMS:
        return found
    kept = sorted(found, key=lambda problem: problem.severity is not Severity.ERROR)[:MAX_PROBLEMS]
    more = Problem(
        place=Place(max(problem.place.path for problem in kept), 0, 0),
        severity=Severity.WARNING,
        code=codes.MORE_PROBLEMS,
        message=f"{len(found) - MAX_PROBLEMS:,} more problems are not shown",
        hint="correct those above first",
    )
    return (*sorted(kept, key=lambda problem: problem.place), more)


class _Loader:
    """Reads files of one project directory, collecting problems and texts."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problems = Problems()
        self.sources: dict[str, SourceText] = {}
        self._present: set[str] | None = None

    def services(self, given: str | None) -> ServicesFile | None:
        path = self._path(given, SERVICES_NAMES, "services")
        root = self._tree(path) if path else None
        if path is None or root is None:
            return None
        return read_services(
            root,
            self._shown(path),
            path.parent,
            Report(self.problems),
            compose=path.name == COMPOSE,
        )

    def steps(self, given: str | None) -> StepsFile | None:
        path = self._path(given, STEPS_NAMES, "steps")
        root = self._tree(path) if path else None
        if path is None or root is None:
            return None
        return read_steps(root, self._shown(path), Report(self.problems))

    def _path(self, given: str | None, names: tuple[str, ...], kind: str) -> Path | None:
        if given:  # scripts pass variables that are not set
            return Path(os.path.normpath(self.directory / given))
        found = find(names, self._names())
        if isinstance(found, NotFound):
            near = f'; there is "{found.near}"' if found.near else ""
            where = "." if self.directory == Path.cwd() else self._shown(self.directory)
            self._error(
                codes.NO_FILE,
                self.directory / names[0],
                f"no {kind} file found in {where} (looked for {', '.join(names)}){near}",
                found.hint,
            )
            return None
        path = self.directory / found.name
        if found.notice:
            self.problems.add(
                Problem(
                    place=Place(self._shown(path), 0, 0),
                    severity=Severity.WARNING,
                    code=codes.FALLBACK_NAME,
                    message=found.notice,
                )
            )
        return path

    def _names(self) -> set[str]:
        if self._present is None:
            try:
                self._present = set(os.listdir(self.directory))  # noqa: PTH208 - names only
            except OSError:
                self._present = set()
        return self._present

    def _tree(self, path: Path) -> Node | None:
        data = self._data(path)
        source = decode(self._shown(path), data) if data is not None else None
        if isinstance(source, Problem):
            self.problems.add(source)
        elif source is not None:
            self.sources[source.path] = source
            return read_yaml(source, self.problems)
        return None

    def _data(self, path: Path) -> bytes | None:
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > MAX_BYTES:
                    self.problems.add(too_large(self._shown(path), size))
                    return None
                return file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as fault:
            reason = fault.strerror if isinstance(fault, OSError) else "is no path"
            self._error(
                codes.UNREADABLE,
                path,
                f"cannot read the file: {(reason or str(fault)).lower()}",
                "check the path and the rights of the file",
            )
            return None

    def _error(self, code: str, path: Path, message: str, hint: str) -> None:
        self.problems.add(
            Problem(
                place=Place(self._shown(path), 0, 0),
                severity=Severity.ERROR,
                code=code,
                message=message,
                hint=hint,
            )
        )

    def _shown(self, path: Path) -> str:
        """The path as a user in the current directory would write it."""
        try:
            return str(path.relative_to(Path.cwd()))
        except (ValueError, OSError):
            return str(path)
