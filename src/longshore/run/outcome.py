"""How a step ended. A failed step is a value, so that its parallel siblings can finish (T-18)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passed:
    """It did what it should."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Its container exited with a code other than 0."""

    exit_code: int


@dataclass(frozen=True, slots=True)
class Broken:
    """It could not be done: a build, a pull, a push or the engine failed."""

    message: str
    hint: str | None = None
    engine_lost: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """It was not to run (tag, exclude, no --push, waiting for approval)."""

    because: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """It was running when the run was interrupted or its time was up, or a sibling failed fast."""


@dataclass(frozen=True, slots=True)
class NotRun:
    """Something before it failed."""


Outcome = Passed | Failed | Broken | Skipped | Stopped | NotRun


def is_failure(outcome: Outcome) -> bool:
    """Whether a build with such a step has failed."""
    return isinstance(outcome, Failed | Broken)
