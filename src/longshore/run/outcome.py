"""How a step ended. A failed step is a value, so that its parallel siblings can finish (T-18)."""

from __future__ import annotations

from msgspec import Struct

from longshore.errors import EngineUnavailable, LongshoreError


class Passed(Struct, frozen=True):
    """It did what it should."""


class Failed(Struct, frozen=True):
    """Its container exited with a code other than 0."""

    exit_code: int


class Broken(Struct, frozen=True):
    """It could not be done: a build, a pull, a push or the engine failed."""

    message: str
    hint: str | None = None
    engine_lost: bool = False

    @classmethod
    def by(cls, failure: LongshoreError) -> Broken:
        """What an engine or a registry could not do for it."""
        lost = isinstance(failure, EngineUnavailable)
        return cls(failure.message, failure.hint, engine_lost=lost)


class Skipped(Struct, frozen=True):
    """It was not to run (tag, exclude, no --push, waiting for approval)."""

    because: str


class Stopped(Struct, frozen=True):
    """It was running when the run was interrupted or its time was up, or a sibling failed fast."""


class NotRun(Struct, frozen=True):
    """Something before it failed."""


Outcome = Passed | Failed | Broken | Skipped | Stopped | NotRun


def is_failure(outcome: Outcome) -> bool:
    """Whether a build with such a step has failed."""
    return isinstance(outcome, Failed | Broken)
