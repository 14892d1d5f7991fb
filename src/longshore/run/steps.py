"""Walking the plan: serial, parallel, manual, run and push steps (spec 4.5 to 4.9).

Outcomes are values; an exception that leaves this module is a bug of ours or a cancellation.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Container, Sequence

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.errors import LongshoreError
from longshore.plan.model import KINDS, Manual, Parallel, PushStep, RunStep, Serial, Step
from longshore.plan.selection import WAITING
from longshore.run.events import StepFinished, StepStarted
from longshore.run.gate import Gate, Siblings
from longshore.run.outcome import (
    Broken,
    Failed,
    NotRun,
    Outcome,
    Passed,
    Skipped,
    Stopped,
    is_failure,
)
from longshore.run.push.eager import pushes_of, unreachable
from longshore.run.push.step import push_image
from longshore.run.result import StepResult
from longshore.run.run_step import run_command
from longshore.run.runtime import Runtime


class Walker(Struct, frozen=True):
    """Runs the steps of a plan on a runtime; `outcomes`, by path, outlive a cancellation."""

    runtime: Runtime
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    async def walk(self, step: Step, gate: Gate) -> StepResult:
        """Run one step or group and everything below it."""
        if step.skipped is not None:
            return self._skipped(step)
        if isinstance(step, RunStep | PushStep):
            return await self._leaf(step, gate)
        return await self._group(step, gate)

    def so_far(self, step: Step) -> StepResult:
        """What is known of a step now; what was not reached is `NotRun`, skips stay skips."""
        if step.skipped is not None:
            return StepResult(path=step.path, name=step.name, outcome=Skipped(step.skipped))
        children: tuple[StepResult, ...] = ()
        outcome = self.outcomes.get(step.path)
        if not isinstance(step, RunStep | PushStep):
            children = tuple(self.so_far(child) for child in step.steps)
            outcome = outcome or _of_group(children)
        outcome = outcome or NotRun()
        return StepResult(path=step.path, name=step.name, outcome=outcome, children=children)

    def _skipped(self, step: Step) -> StepResult:
        outcome = Skipped(step.skipped or "")
        self._finished(step, outcome, 0.0)
        return StepResult(path=step.path, name=step.name, outcome=outcome)

    async def _leaf(self, step: RunStep | PushStep, gate: Gate) -> StepResult:
        async with self.runtime.slots:
            if not gate.enter():
                later = unreachable(self.runtime.plan.root, step.path)
                self.runtime.uploads.give_up((step.path, *later))
                return self.so_far(step)
            outcome = await self._timed(step, lambda: self._attempt(step))
            if is_failure(outcome):
                # Before the slot is free: whoever waits for it must not start (T-19).
                gate.fail()
        if is_failure(outcome):
            self.runtime.uploads.give_up(unreachable(self.runtime.plan.root, step.path))
            await self._on_fail(step)
        return StepResult(path=step.path, name=step.name, outcome=outcome)

    async def _attempt(self, step: RunStep | PushStep) -> Outcome:
        """A leaf's outcome; what the engine or a registry could not do breaks the step."""
        limit = self.runtime.options.step_timeout
        try:
            with anyio.fail_after(limit):
                if isinstance(step, RunStep):
                    return await run_command(self.runtime, step)
                return await push_image(self.runtime, step)
        except TimeoutError:
            return Broken(f"stopped after {limit:g} seconds (--step-timeout)")
        except LongshoreError as failure:
            return Broken.by(failure)

    async def _group(self, step: Serial | Parallel | Manual, gate: Gate) -> StepResult:
        results: list[StepResult] = []

        async def work() -> Outcome:
            results.extend(await self._children(step, gate))
            return _of_group(results)

        if step.name:
            outcome = await self._timed(step, work)
        else:
            outcome = await work()
        if is_failure(outcome):
            gate.fail()
            await self._on_fail(step)
        return StepResult(path=step.path, name=step.name, outcome=outcome, children=tuple(results))

    async def _children(self, step: Serial | Parallel | Manual, gate: Gate) -> list[StepResult]:
        if isinstance(step, Parallel):
            return await self._side_by_side(step, gate)
        return await self._one_by_one(step, gate)

    async def _one_by_one(self, group: Serial | Manual, gate: Gate) -> list[StepResult]:
        results: list[StepResult] = []
        stopped = False
        for step in group.steps:
            result = self.so_far(step) if stopped else await self.walk(step, gate)
            results.append(result)
            stopped = stopped or _stops(result.outcome)
        return results

    async def _side_by_side(self, group: Parallel, gate: Gate) -> list[StepResult]:
        siblings = Siblings()
        scopes = [anyio.CancelScope() for _ in group.steps]

        async def run(step: Step, scope: anyio.CancelScope) -> None:
            def stop_the_others() -> None:
                for other in scopes:
                    if other is not scope:
                        other.cancel()

            at_failure = stop_the_others if self.runtime.options.fail_fast else _nothing
            with scope:
                await self.walk(step, Gate(siblings, gate, at_failure))
            if scope.cancelled_caught:
                self.runtime.uploads.give_up(pushes_of(step))

        async with anyio.create_task_group() as tasks:
            for step, scope in zip(group.steps, scopes, strict=True):
                tasks.start_soon(run, step, scope)
        return [self.so_far(step) for step in group.steps]

    async def _timed(self, step: Step, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        self.runtime.emit(StepStarted(step=step.path, name=step.name, kind=KINDS[type(step)]))
        started = time.monotonic()
        outcome: Outcome = Stopped()
        try:
            outcome = await work()
        finally:
            self._finished(step, outcome, time.monotonic() - started)
        return outcome

    def _finished(self, step: Step, outcome: Outcome, seconds: float) -> None:
        self.outcomes[step.path] = outcome
        self.runtime.emit(
            StepFinished(
                step=step.path,
                name=step.name,
                kind=KINDS[type(step)],
                outcome=outcome,
                seconds=seconds,
            )
        )

    async def _on_fail(self, step: Step) -> None:
        """In order; a failing one is logged and the next still runs (T-42, T-43)."""
        for handler in step.on_fail:
            await self.walk(_told(handler, step.own_name), Gate())


def _nothing() -> None:
    """Without ``--fail-fast`` steps that run are allowed to finish (T-18)."""


def _told(handler: RunStep, failed: str) -> RunStep:
    return replace(handler, variables=(("CI_FAILED_STEP", failed),))


def _stops(outcome: Outcome) -> bool:
    return is_failure(outcome) or isinstance(outcome, Stopped | NotRun)


def _of_group(results: Sequence[StepResult]) -> Outcome:
    """A group fails as its first failed child did; one whose rest was not reached did not run."""
    outcomes = [result.outcome for result in results]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failed | Broken)]
    if failures:
        return failures[0]
    unfinished = [outcome for outcome in outcomes if isinstance(outcome, Stopped | NotRun)]
    return unfinished[0] if unfinished else Passed()


def waiting_groups(result: StepResult, reached: Container[str]) -> tuple[str, ...]:
    """Names of manual groups that wait for approval (T-40).

    One whose path is not in `reached` waits for what comes before it, which failed.
    """
    waits = result.outcome == Skipped(WAITING) and result.path in reached
    below = (name for child in result.children for name in waiting_groups(child, reached))
    return (result.name, *below) if waits else tuple(below)
