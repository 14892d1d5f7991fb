"""``longshore run SERVICE [COMMAND…]``: one container of a service (spec 7.4)."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.commands.interruption import INTERRUPTED, interruptible
from longshore.commands.project import ProjectChoice, planned
from longshore.commands.session import open_session
from longshore.commands.session_options import SessionOptions
from longshore.commands.terminal import LineSink, TerminalReader, terminal_size
from longshore.config.names import no_service
from longshore.environment import Environment
from longshore.plan.facts import BuildFacts
from longshore.plan.model import Plan
from longshore.plan.selection import Selection
from longshore.report.readers import LogOptions, reader
from longshore.report.sink import Sink
from longshore.report.style import Style
from longshore.run.convert import Extra
from longshore.run.events import Notice
from longshore.run.execute import open_runtime
from longshore.run.needs import needs_of_services
from longshore.run.ports import published_ports
from longshore.run.run_step import forced_end, run_service
from longshore.run.runtime import StepLabel
from longshore.secrets.masking import Masker


class RunRequest(Struct, frozen=True, kw_only=True):
    """What `longshore run` was asked for; `entrypoint` and `command` are ready-made words."""

    project: ProjectChoice
    facts: BuildFacts
    session: SessionOptions
    service: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    tty: bool = False
    publish: bool = False
    log: LogOptions = field(default_factory=LogOptions)


def run(
    request: RunRequest,
    environment: Environment,
    sink: Sink,
    style: Style,
    leave: Callable[[], None],
) -> int:
    """Run it; the exit code is the container's (C-15)."""
    plan = planned(request.project, request.facts, Selection(), sink, need_steps=False)
    if plan is None:
        return 2
    check_service(plan, request.service)
    return anyio.run(_run, plan, request, environment, sink, style, leave)


def check_service(plan: Plan, service: str) -> None:
    """Raise UsageError unless `service` is defined."""
    if service not in plan.services:
        raise no_service(service, plan.services)


async def _run(
    plan: Plan,
    request: RunRequest,
    environment: Environment,
    sink: Sink,
    style: Style,
    leave: Callable[[], None],
) -> int:
    extra = _extra(plan, request)
    masker = Masker()
    lines = LineSink(sink.err, sink.err, sink.err_terminal, sink.err_colours, sink.patience)
    emit = reader(request.log, lines, style, masker)
    code = 1
    async with (
        interruptible(lines.tell, leave, sink.patience.hurry) as interruption,
        open_session(
            plan,
            needs_of_services(plan, [request.service], runs=True),
            request.session,
            environment,
            masker,
            emit,
        ) as setting,
        open_runtime(plan, replace(setting, interrupted=interruption.began)) as runtime,
    ):
        interruption.opened.set()
        with interruption.scope:
            label = StepLabel(path="run", name=f"run-{request.service}")
            terminal = TerminalReader(
                setting.engine, sink, request.tty, setting.mask, setting.mask_end
            )
            ended = await run_service(runtime, label, request.service, extra, reader=terminal)
            code = 1 if ended is None else ended.code
            if ended is not None and (forced := forced_end(ended, request.service)):
                runtime.emit(Notice(text=f"{forced.message} ({forced.hint})"))
    return INTERRUPTED if interruption.began.is_set() else code


def _extra(plan: Plan, request: RunRequest) -> Extra:
    """Raises InvalidValue for ports that cannot be published."""
    ports = published_ports(plan.services[request.service].ports) if request.publish else ()
    return Extra(
        command=request.command or None,
        entrypoint=request.entrypoint,
        ports=ports,
        tty=request.tty,
        terminal_size=terminal_size() if request.tty else None,
        stdin=True,
    )
