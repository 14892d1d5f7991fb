"""Problems found in the user's files: where, what, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """How bad a problem is: an error stops everything, a warning nothing."""

    ERROR = "error"
    WARNING = "warning"


class Place(Struct, frozen=True, order=True):
    """A place in a file; `line` and `column` count from 1, columns in characters.

    Line 0 means the file as a whole.
    """

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


class Problem(Struct, frozen=True, kw_only=True):
    """One fault, told once.

    `code` is stable (``LS012``); `length` is what to underline, in characters. A `harmless` error
    is one for `validate` alone: a run does without what it is about.
    """

    place: Place
    severity: Severity
    code: str
    message: str
    hint: str | None = None
    length: int = 1
    harmless: bool = False

    @property
    def stops(self) -> bool:
        """Whether nothing may run because of it."""
        return self.severity is Severity.ERROR and not self.harmless

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}: {self.message}"


@dataclass(slots=True)
class Problems:
    """Collects problems while a file is read; one fault is kept once."""

    found: list[Problem] = field(default_factory=list)
    _known: set[tuple[Place, str]] = field(default_factory=set, repr=False)

    def add(self, problem: Problem) -> None:
        """Keep `problem` unless its place has one of its kind already (aliases repeat nodes)."""
        if (problem.place, problem.code) not in self._known:
            self._known.add((problem.place, problem.code))
            self.found.append(problem)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop everything, by place."""
        return tuple(p for p in self.sorted() if p.severity is Severity.ERROR)

    def sorted(self) -> tuple[Problem, ...]:
        """All problems by file, line and column."""
        return tuple(sorted(self.found, key=lambda p: (p.place, p.code, p.message)))
