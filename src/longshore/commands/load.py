"""``longshore load [SERVICE…]``: images pulled or built, nothing run (spec C-16)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.commands.interruption import INTERRUPTED, interruptible
from longshore.commands.project import ProjectChoice, planned
from longshore.commands.run import check_service
from longshore.commands.session import open_session
from longshore.commands.session_options import SessionOptions
from longshore.commands.steps import exit_code
from longshore.environment import Environment
from longshore.errors import LongshoreError
from longshore.plan.facts import BuildFacts
from longshore.plan.logins import Asker
from longshore.plan.model import Plan
from longshore.plan.selection import Selection
from longshore.report.readers import LogOptions, reader
from longshore.report.sink import Sink
from longshore.report.style import Style
from longshore.run.events import StepFinished, StepStarted
from longshore.run.execute import open_runtime, run_finished
from longshore.run.needs import needs_of_services
from longshore.run.outcome import Broken, NotRun, Outcome, Passed, is_failure
from longshore.run.result import RunResult, StepResult
from longshore.run.runtime import Runtime
from longshore.secrets.masking import Masker

Outcomes = dict[str, Outcome]
"""Of each image that was tried, by the name it is shown under."""


class LoadRequest(Struct, frozen=True, kw_only=True):
    """What `longshore load` was asked for; no service means all of them."""

    project: ProjectChoice
    facts: BuildFacts
    session: SessionOptions
    services: tuple[str, ...] = ()
    log: LogOptions = field(default_factory=LogOptions)


def load(
    request: LoadRequest,
    environment: Environment,
    sink: Sink,
    style: Style,
    leave: Callable[[], None],
) -> int:
    """Make the images ready; 1 when one could not be, 125 when the engine went away."""
    plan = planned(request.project, request.facts, Selection(), sink, need_steps=False)
    if plan is None:
        return 2
    for service in request.services:
        check_service(plan, service)
    return anyio.run(_load, plan, request, environment, sink, style, leave)


async def _load(
    plan: Plan,
    request: LoadRequest,
    environment: Environment,
    sink: Sink,
    style: Style,
    leave: Callable[[], None],
) -> int:
    services = request.services or tuple(plan.services)
    masker = Masker()
    emit = reader(request.log, sink, style, masker)
    began, done = time.monotonic(), Outcomes()
    async with (
        interruptible(sink.tell, leave, sink.patience.hurry) as interruption,
        open_session(
            plan,
            needs_of_services(plan, services, runs=False),
            request.session,
            environment,
            masker,
            emit,
        ) as setting,
        open_runtime(plan, replace(setting, interrupted=interruption.began)) as runtime,
    ):
        interruption.opened.set()
        with interruption.scope:
            await _images(runtime, services, done)
        names = [_name(plan, service) for service in services]
        result = _result(done, names, interruption.began.is_set(), time.monotonic() - began)
        runtime.emit(run_finished(result))
    return INTERRUPTED if interruption.began.is_set() else exit_code(result)


async def _images(runtime: Runtime, services: Sequence[str], done: Outcomes) -> None:
    """All of them, one after the other. Without an engine no other is tried."""
    for service in services:
        name = _name(runtime.plan, service)
        done[name] = outcome = await _image(runtime, service, name)
        if isinstance(outcome, Broken) and outcome.engine_lost:
            return


async def _image(runtime: Runtime, service: str, name: str) -> Outcome:
    """One service's image, shown as a step of its own (T-14)."""
    runtime.emit(StepStarted(step=name, name=name, kind="load"))
    began = time.monotonic()
    try:
        await runtime.images.image(runtime.plan.services[service].image, Asker((service,)))
        outcome: Outcome = Passed()
    except LongshoreError as failure:
        outcome = Broken.by(failure)
    runtime.emit(
        StepFinished(
            step=name, name=name, kind="load", outcome=outcome, seconds=time.monotonic() - began
        )
    )
    return outcome


def _name(plan: Plan, service: str) -> str:
    key = plan.services[service].image
    return f"{service}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def _result(done: Outcomes, names: Iterable[str], interrupted: bool, seconds: float) -> RunResult:
    """As of steps, one for each image; `names` are those of all images."""
    steps = [StepResult(path=name, name=name, outcome=done.get(name, NotRun())) for name in names]
    failures = (step.outcome for step in steps if is_failure(step.outcome))
    root = StepResult(path="", name="", outcome=next(failures, Passed()), children=tuple(steps))
    return RunResult(root=root, interrupted=interrupted, seconds=seconds)
