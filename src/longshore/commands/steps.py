"""``longshore steps``: the pipeline of a project."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.commands.interruption import INTERRUPTED, interruptible
from longshore.commands.project import ProjectChoice, planned
from longshore.commands.session import open_session
from longshore.commands.session_options import SessionOptions
from longshore.environment import Environment
from longshore.plan.facts import BuildFacts
from longshore.plan.model import Plan
from longshore.plan.selection import Selection
from longshore.report.readers import LogOptions, reader
from longshore.report.sink import Sink
from longshore.report.style import Style
from longshore.run.execute import execute
from longshore.run.needs import needs_of_steps
from longshore.run.result import RunResult
from longshore.secrets.masking import Masker


class StepsRequest(Struct, frozen=True, kw_only=True):
    """Everything `longshore steps` was asked for."""

    project: ProjectChoice
    facts: BuildFacts
    selection: Selection
    session: SessionOptions
    log: LogOptions = field(default_factory=LogOptions)


def run_steps(
    request: StepsRequest,
    environment: Environment,
    sink: Sink,
    style: Style,
    leave: Callable[[], None],
) -> int:
    """Run the steps; the exit code is that of spec C-5. `leave` ends the process at once."""
    plan = planned(request.project, request.facts, request.selection, sink)
    if plan is None:
        return 2
    return anyio.run(_run, plan, request, environment, sink, style, leave)


async def _run(
    plan: Plan,
    request: StepsRequest,
    environment: Environment,
    sink: Sink,
    style: Style,
    leave: Callable[[], None],
) -> int:
    masker = Masker()
    emit = reader(request.log, sink, style, masker)
    async with (
        interruptible(sink.tell, leave, sink.patience.hurry) as interruption,
        open_session(
            plan, needs_of_steps(plan), request.session, environment, masker, emit
        ) as setting,
    ):
        interruption.opened.set()
        setting = replace(setting, interrupted=interruption.began)
        result = await execute(plan, setting, interruption.scope)
    return INTERRUPTED if interruption.began.is_set() else exit_code(result)


def exit_code(result: RunResult) -> int:
    """0 passed, 1 failed, 125 the engine went away."""
    if result.engine_lost:
        return 125
    return 0 if result.passed else 1
