"""Volumes that live as long as the run instead of one step: ``--keep-volumes`` (Q-5).

A container that is never started holds the volumes of each service that others name in
`volumes_from`: an engine fills them from the image when it is created, and keeps them as long as a
container refers to them. It is the last to be removed.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from longshore.engine.port import Engine
from longshore.engine.spec import ContainerSpec, ImageInfo
from longshore.plan.model import ImageKey, Plan, ServicePlan
from longshore.registry.once import Once
from longshore.run.janitor import Janitor
from longshore.run.scope import RunScope

_STEP = "volumes"


class RunVolumes(Struct, kw_only=True):
    """The holders of one run's volumes, by service."""

    plan: Plan
    engine: Engine
    scope: RunScope
    janitor: Janitor
    _holders: Once[str, str] = field(default_factory=Once)

    async def sources(
        self, service: ServicePlan, images: Mapping[ImageKey, ImageInfo]
    ) -> tuple[str, ...]:
        """The containers that a container of `service` takes its volumes from.

        `images` has those of all services of the step. Raises EngineError.
        """
        own = (service.name,) if self._is_shared(service.name) else ()
        return tuple([await self._holder(name, images) for name in (*own, *service.volumes_from)])

    def _is_shared(self, name: str) -> bool:
        return any(name in other.volumes_from for other in self.plan.services.values())

    async def _holder(self, name: str, images: Mapping[ImageKey, ImageInfo]) -> str:
        service = self.plan.services[name]

        async def create() -> str:
            below = [await self._holder(other, images) for other in service.volumes_from]
            spec = ContainerSpec(
                name=self.scope.container_name(name, _STEP, _STEP),
                image=images[service.image].id,
                command=("never-started",),  # engines want one, and the image may have none
                mounts=service.mounts,
                volumes_from=tuple(below),
                labels=dict(self.scope.labels(_STEP, name)),
            )
            holder = await self.engine.create(spec)
            self.janitor.at_the_end.append(holder)
            return holder

        return await self._holders.get(name, create)
