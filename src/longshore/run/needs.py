"""What a plan will need of keys, encrypted files and credentials, known before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from longshore.config.credential_keys import CredentialKeys
from longshore.config.problem import Place
from longshore.plan.logins import Asker
from longshore.plan.model import (
    ImageKey,
    ImagePlan,
    Plan,
    PullPlan,
    PushStep,
    RunStep,
    Step,
    walk,
)

if TYPE_CHECKING:
    from longshore.run.credentials import Chain


class Need(Struct, frozen=True, kw_only=True):
    """A service that will be used: its containers (`runs`), or only its image.

    `chain` are the credential keys of the step and its groups, `push` the step that pushes it.
    """

    service: str
    place: Place
    runs: bool = True
    chain: Chain = ()
    push: PushStep | None = None


def needs_of_steps(plan: Plan) -> tuple[Need, ...]:
    """The needs of every step that may run, those of on_fail among them."""
    return tuple(_of_step(plan.root))


def needs_of_services(plan: Plan, services: Iterable[str], *, runs: bool) -> tuple[Need, ...]:
    """The needs of services that are run or loaded by name."""
    return tuple(Need(service=n, place=plan.services[n].place, runs=runs) for n in services)


def _of_step(step: Step) -> Iterator[Need]:
    if step.skipped is not None:
        return
    if isinstance(step, RunStep | PushStep):
        yield need_of(step)
    else:
        for child in step.steps:
            yield from _of_step(child)
    for handler in step.on_fail:
        yield from _of_step(handler)


def need_of(step: RunStep | PushStep) -> Need:
    """What the step itself needs; those of its on_fail are needs of their own."""
    push = step if isinstance(step, PushStep) else None
    chain, runs = step.credentials, push is None
    return Need(service=step.service, place=step.place, runs=runs, chain=chain, push=push)


def services_of(plan: Plan, need: Need) -> tuple[str, ...]:
    """The services whose containers start, in their order; none where only an image is needed."""
    return (*plan.services[need.service].start_order, need.service) if need.runs else ()


def images_of_need(plan: Plan, need: Need) -> tuple[ImagePlan, ...]:
    """Every image that is made ready, those that others start from among them."""
    return image_closure(plan, (plan.services[name].image for name in asker(plan, need).services))


def asker(plan: Plan, need: Need) -> Asker:
    """Whose credentials count for the images of the need."""
    return Asker(services_of(plan, need) or (need.service,), need.chain)


def image_closure(plan: Plan, keys: Iterable[ImageKey]) -> tuple[ImagePlan, ...]:
    """Images with all that siblings build for them first (I-7)."""
    found: dict[ImageKey, ImagePlan] = {}
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found[key] = plan.images[key]
        waiting += found[key].builds_first
    return tuple(found.values())


def is_pulled(image: ImagePlan) -> bool:
    """Whether it comes from a registry, if the engine does not have it."""
    return isinstance(image, PullPlan) and image.built_by is None


def generator_images(plan: Plan, flags: CredentialKeys) -> frozenset[ImageKey]:
    """The images that some generator of credentials is started from.

    They must be there without generated credentials, or they would wait for themselves (P-34).
    """
    keys = (plan.services[name].image for name in _generators(plan, flags))
    return frozenset(image.key for image in image_closure(plan, keys))


def running_services(plan: Plan, needs: Iterable[Need], flags: CredentialKeys) -> frozenset[str]:
    """The services whose containers may start: those of `needs`, and generators of credentials."""
    started = (name for need in needs for name in services_of(plan, need))
    return frozenset(started) | _generators(plan, flags)


def _generators(plan: Plan, flags: CredentialKeys) -> frozenset[str]:
    """The services that generate credentials, and those that start before them."""
    leaves = (step for step in _all_steps(plan.root) if isinstance(step, RunStep | PushStep))
    places = [flags, *(service.credentials for service in plan.services.values())]
    places += [keys for step in leaves for keys in step.credentials]
    named = {keys.generator for keys in places}
    generators = [service for service in plan.services.values() if service.name in named]
    return frozenset(name for s in generators for name in (*s.start_order, s.name))


def _all_steps(root: Step) -> Iterator[Step]:
    for step in walk(root):
        yield step
        yield from step.on_fail
