"""What follows from a plan for its readers: what each step starts, makes and logs in with; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from longshore.config.credential_keys import CredentialKeys
from longshore.config.names import no_generator
from longshore.plan.model import ImageKey, Plan, PushStep, RunStep, runnable
from longshore.plan.order import needed_first
from longshore.run.needs import asker, need_of, services_of


class CredentialSource(Struct, frozen=True):
    """Where registry credentials come from: never what they are.

    `key` is the key of the files that names them; `named_by` is step (or a group above it),
    service, or command line.
    """

    key: str
    name: str
    named_by: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with the credentials that the command line adds to it.

    What tells of credentials raises UsageError where a flag names a service that is not there.
    """

    plan: Plan
    flags: CredentialKeys = field(default_factory=CredentialKeys)
    user_login: bool = True
    _before: dict[ImageKey, tuple[ImageKey, ...]] = field(default_factory=dict, repr=False)

    def starts(self, step: RunStep | PushStep) -> tuple[str, ...]:
        """The services whose containers the step starts, in their order; none for a push."""
        return services_of(self.plan, need_of(step))

    def images(self, step: RunStep | PushStep) -> tuple[ImageKey, ...]:
        """The images the step needs, each after those it is built from (I-7, I-8)."""
        keys = dict.fromkeys(self._images_of(asker(self.plan, need_of(step)).services))
        for source in self.credentials(step):
            if source.key == "dockercfg_service":
                order = self.plan.services[source.name].start_order
                keys |= dict.fromkeys(self._images_of((*order, source.name)))
        return tuple(keys)

    def credentials(self, step: RunStep | PushStep) -> tuple[CredentialSource, ...]:
        """What the step's push, pulls and builds log in with; () is the user's own login (S-53)."""
        found = [self.push_credentials(step)] if isinstance(step, PushStep) else []
        asking = asker(self.plan, need_of(step))
        for key in self._images_of(asking.services):
            own, others = asking.of_services(self.plan.images[key])
            places = [
                *((keys, "service") for keys in own),
                *((keys, "step") for keys in asking.credentials),
                *((keys, "service") for keys in others),
                (self.flags, "command line"),
            ]
            found.append(self._first(places))
        return tuple(dict.fromkeys(source for source in found if source is not None))

    def push_credentials(self, step: PushStep) -> CredentialSource | None:
        """What the push logs in with: the step's before the service's (P-6)."""
        own = self.plan.services[step.service].credentials
        steps = ((keys, "step") for keys in step.credentials)
        return self._first([*steps, (own, "service"), (self.flags, "command line")])

    def needed(self) -> dict[ImageKey, RunStep | PushStep]:
        """The images that the steps that run need, with the first step that does."""
        first: dict[ImageKey, RunStep | PushStep] = {}
        for step in runnable(self.plan.root):
            for key in self.images(step):
                first.setdefault(key, step)
        return first

    def users(self) -> dict[ImageKey, list[str]]:
        """The services of each image."""
        users: dict[ImageKey, list[str]] = {key: [] for key in self.plan.images}
        for name, service in self.plan.services.items():
            users[service.image].append(name)
        return users

    def shown(self, path: Path | str) -> str:
        """A path as the user would write it in the files."""
        try:
            return str(Path(path).relative_to(self.plan.directory))
        except ValueError:
            return str(path)

    def _first(self, places: Iterable[tuple[CredentialKeys, str]]) -> CredentialSource | None:
        found = next(((keys, named_by) for keys, named_by in places if keys), None)
        if found is None:
            return None
        keys, named_by = found
        if keys.encrypted_dockercfg_path:
            path = self.shown(keys.encrypted_dockercfg_path)
            return CredentialSource("encrypted_dockercfg_path", path, named_by)
        if keys.generator:
            # The files were checked before; a flag is not.
            if keys.generator not in self.plan.services:
                raise no_generator(keys.generator, self.plan.services)
            return CredentialSource("dockercfg_service", keys.generator, named_by)
        path = self.shown(keys.dockercfg_path or "")
        return CredentialSource("dockercfg_path", path, named_by)

    def _images_of(self, services: Iterable[str]) -> Iterator[ImageKey]:
        if not self._before:
            images = self.plan.images.items()
            self._before.update(needed_first({key: plan.builds_first for key, plan in images}))
        for name in services:
            key = self.plan.services[name].image
            yield from (*self._before[key], key)
