"""How a run ended: every step's outcome in a tree, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from longshore.run.outcome import Broken, NotRun, Outcome, Stopped, is_failure


class StepResult(Struct, frozen=True, kw_only=True):
    """A step's or group's outcome, with those below it in file order."""

    path: str
    name: str
    outcome: Outcome
    children: tuple[StepResult, ...] = ()

    def leaves(self) -> Iterator[StepResult]:
        """The results without children, in file order."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


class RunResult(Struct, frozen=True, kw_only=True):
    """A whole run; `waiting` names the groups that wait for approval."""

    root: StepResult
    interrupted: bool
    timed_out: bool = False
    seconds: float
    waiting: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing failed; skipped steps count as success (T-33)."""
        return not (self.interrupted or self.timed_out or is_failure(self.root.outcome))

    @property
    def engine_lost(self) -> bool:
        """Whether a step broke because the engine went away."""
        outcomes = (leaf.outcome for leaf in self.root.leaves())
        return any(isinstance(o, Broken) and o.engine_lost for o in outcomes)

    @property
    def failed(self) -> tuple[StepResult, ...]:
        """The steps that failed, in file order."""
        return tuple(leaf for leaf in self.root.leaves() if is_failure(leaf.outcome))

    @property
    def not_run(self) -> tuple[str, ...]:
        """Names of steps that an earlier failure kept from running (T-36)."""
        return tuple(leaf.name for leaf in self.root.leaves() if isinstance(leaf.outcome, NotRun))

    @property
    def stopped(self) -> tuple[str, ...]:
        """Names of steps that were running when everything, or their group, was stopped."""
        return tuple(leaf.name for leaf in self.root.leaves() if isinstance(leaf.outcome, Stopped))
