"""A run step: its service's container, run to its end with all that it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from longshore.engine.spec import Exit
from longshore.plan.logins import Asker
from longshore.plan.model import RunStep
from longshore.run.containers import StepContainers
from longshore.run.convert import Extra
from longshore.run.janitor import INTERRUPT_GRACE, StepDebris
from longshore.run.outcome import Broken, Failed, Outcome, Passed
from longshore.run.pump import OutputReader, Pump
from longshore.run.quiet import QuietWatch, silence
from longshore.run.runtime import Runtime, StepLabel, asking


async def run_command(runtime: Runtime, step: RunStep) -> Outcome:
    """Run the step's command in a fresh container of its service (T-5)."""
    label = StepLabel(path=step.path, name=step.name, credentials=step.credentials)
    asking.set(label)
    if step.variables:
        sources = replace(
            runtime.sources, command_line=(*step.variables, *runtime.sources.command_line)
        )
        runtime = replace(runtime, sources=sources)
    if runtime.digests:
        variables = (*runtime.plan.variables, *runtime.digests.items())
        runtime = replace(runtime, plan=replace(runtime.plan, variables=variables))
    ended = await run_service(runtime, label, step.service, Extra(command=step.command))
    if ended is None:
        return Broken(silence(runtime.options.quiet_timeout))
    if forced := forced_end(ended, step.service):
        return forced
    return Passed() if ended.code == 0 else Failed(ended.code)


def forced_end(ended: Exit, service: str) -> Broken | None:
    """How a container of `service` ended, where it was not by itself."""
    if ended.stopped:
        return Broken(
            f'the container of service "{service}" was stopped while it ran',
            hint="the engine was shut down, or something else stops its containers; "
            "longshore did not",
        )
    if ended.out_of_memory:
        return Broken(
            f"container exited with a {ended.code} code: the engine killed it for want of memory",
            hint=f'raise mem_limit of service "{service}" or give the engine more memory',
        )
    return None


async def run_service(
    runtime: Runtime,
    label: StepLabel,
    service: str,
    extra: Extra,
    before_removal: Callable[[str], Awaitable[None]] | None = None,
    reader: OutputReader | None = None,
    *,
    secret: bool = False,
) -> Exit | None:
    """Images ready, dependencies up, the service's container run to its end, everything removed.

    None: it was stopped because nothing of it wrote anything for too long. `before_removal` is
    given the container when it has exited with 0; `reader` takes the output instead of the event
    stream; what is `secret` is removed even where the user keeps containers. Raises
    `LongshoreError`.
    """
    services = runtime.plan.services
    started = services[service].start_order
    asker = Asker((*started, service), label.credentials)
    images = await runtime.images.ready((services[one].image for one in asker.services), asker)
    debris = StepDebris()
    watch = QuietWatch(runtime.options.quiet_timeout)
    containers = StepContainers(runtime, label, service, images, started, debris, watch.heard)
    ended: Exit | None = None
    grace: float | None = INTERRUPT_GRACE
    try:
        with watch:
            pump = reader or Pump(runtime, label, service, watch.heard)
            ended = await containers.run(extra, pump)
        if before_removal and ended and ended.code == 0 and debris.main:
            await before_removal(debris.main)
        grace = None
    finally:
        runtime.janitor.dispose(debris, grace=grace, secret=secret)
    return ended
