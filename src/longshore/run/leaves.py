"""Run and push steps: what each does on the engine."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from longshore.engine.spec import Exit, ImageInfo
from longshore.plan.logins import Asker
from longshore.plan.model import BuildPlan, PushStep, RunStep
from longshore.run.containers import StepContainers, images_of
from longshore.run.convert import Extra
from longshore.run.credentials import push_chain
from longshore.run.events import Notice, Pushed, PushOutput
from longshore.run.janitor import INTERRUPT_GRACE, StepDebris
from longshore.run.outcome import Broken, Failed, Outcome, Passed
from longshore.run.pump import OutputReader, Pump
from longshore.run.push.credential_hints import remedied
from longshore.run.push.port import PushedImage, PushRequest
from longshore.run.quiet import QuietWatch, silence, while_heard
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
    started = runtime.plan.services[service].start_order
    asker = Asker((*started, service), label.credentials)
    images = await runtime.images.ready(images_of(runtime, service), asker)
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


async def push_image(runtime: Runtime, step: PushStep) -> Outcome:
    """Push the image of the step's service, building it first if nothing did (P-4, I-11)."""
    asking.set(StepLabel(path=step.path, name=step.name))
    image = await image_to_push(runtime, step)
    await runtime.uploads.finished(step.path)
    request = await push_request(runtime, step, image)
    credentials, chain = runtime.images.credentials, push_chain(runtime.plan, step)
    async with remedied(credentials, chain, request.targets[0], request.credential):
        done = await while_heard(
            runtime.options.quiet_timeout,
            f"the push of {step.push.targets[0]}",
            lambda on_line: runtime.pusher.push(replace(request, on_line=on_line)),
            request.on_line,
        )
    runtime.digests[digest_variable(step.own_name)] = done[0].digest
    return Passed()


async def image_to_push(runtime: Runtime, step: PushStep) -> ImageInfo:
    """The image of the step's service, whatever name it has (P-7, I-6).

    Without an image_tag the original pushed what had the target's name by then: an image that a
    step built by itself, through ``add_docker``, is such a one (P-8, P-9).
    """
    asker = Asker((step.service,), step.credentials)
    image = await runtime.images.image(step.push.image, asker)
    if step.push.tagged:
        return image
    target = step.push.targets[0]
    named = await runtime.engine.inspect_image(str(target))
    if named is None or named.id == image.id or runtime.images.built_here(named):
        return image
    if not runtime.scope.is_older(named):
        return image
    runtime.emit(
        Notice(
            text=f'step "{step.name}" pushes the image that a step of this run named {target}, not '
            f'that of service "{step.service}"; give image_tag to push the service\'s'
        )
    )
    return named


async def push_request(runtime: Runtime, step: PushStep, image: ImageInfo) -> PushRequest:
    """What the step asks of the pusher, credentials included."""
    chain = push_chain(runtime.plan, step)
    credentials, push = runtime.images.credentials, step.push
    credential = await credentials.for_push(chain, push.targets[0], push.registry)
    plan = runtime.plan.images[step.push.image]

    def on_line(text: str) -> None:
        runtime.emit(PushOutput(step=step.path, name=step.name, service=step.service, text=text))

    def on_pushed(pushed: PushedImage) -> None:
        runtime.emit(
            Pushed(
                step=step.path,
                name=step.name,
                reference=str(pushed.reference),
                digest=pushed.digest,
                summary=pushed.summary,
            )
        )

    return PushRequest(
        image=image,
        name=str(plan.name),
        targets=step.push.targets,
        credential=credential,
        dockerfile=plan.dockerfile if isinstance(plan, BuildPlan) else None,
        on_line=on_line,
        on_pushed=on_pushed,
    )


def digest_variable(step: str) -> str:
    """The variable that tells later steps the digest a push step pushed."""
    return "LONGSHORE_DIGEST_" + re.sub(r"[^A-Z0-9_]", "_", step.upper())
