"""A push step: its image, built first if nothing did, and what it asks of the pusher."""

from __future__ import annotations

import re

from msgspec.structs import replace

from longshore.engine.spec import ImageInfo
from longshore.plan.logins import Asker
from longshore.plan.model import BuildPlan, PushStep
from longshore.run.credentials import push_chain
from longshore.run.docker_access import reaches_an_engine
from longshore.run.events import Notice, Pushed, PushOutput
from longshore.run.outcome import Outcome, Passed
from longshore.run.push.credential_hints import credential_hints
from longshore.run.push.port import PushedImage, PushRequest
from longshore.run.quiet import while_heard
from longshore.run.runtime import Runtime, StepLabel, asking


async def push_image(runtime: Runtime, step: PushStep) -> Outcome:
    """Push the image of the step's service, building it first if nothing did (P-4, I-11)."""
    asking.set(StepLabel(path=step.path, name=step.name))
    image = await image_to_push(runtime, step)
    await runtime.uploads.finished(step.path)
    request = await push_request(runtime, step, image)
    credentials, chain = runtime.images.credentials, push_chain(runtime.plan, step)
    async with credential_hints(credentials, chain, request.targets[0], request.credential):
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
    step built by itself, through ``add_docker``, is such a one (P-8, P-9). Where no step can have
    done that, it is another run's.
    """
    asker = Asker((step.service,), step.credentials)
    image = await runtime.images.image(step.push.image, asker)
    if step.push.tagged or not any(map(reaches_an_engine, runtime.plan.services.values())):
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
