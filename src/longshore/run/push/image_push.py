"""An image of the engine and the repository it goes to: what is asked of both on every route."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from longshore.engine.port import Engine
from longshore.oci.digest import Digest
from longshore.oci.reference import normalise_registry
from longshore.registry.hosts import is_loopback
from longshore.registry.publish import PushedImage
from longshore.registry.push import PushOptions, same_image
from longshore.run.push.image_source import diff_ids_of
from longshore.run.push.port import PushRequest
from longshore.run.push.pushes import Job
from longshore.run.push.settings import PushSettings

if TYPE_CHECKING:
    from longshore.run.push.engine_push import EnginePush


class ImagePush(Struct, frozen=True, kw_only=True):
    """The part of `request` that goes into the repository of `job`."""

    engine: Engine
    settings: PushSettings
    request: PushRequest
    job: Job

    @property
    def identity(self) -> Digest:
        """What the engine calls the image: the digest of its configuration or manifest."""
        return Digest.parse(self.request.image.id)

    @property
    def diff_ids(self) -> tuple[Digest, ...]:
        """The image's layers, from the base up."""
        return diff_ids_of(self.request.image)

    @property
    def by_engine(self) -> EnginePush:
        """The engine's own push."""
        from longshore.run.push.engine_push import EnginePush

        return EnginePush(
            engine=self.engine, settings=self.settings, request=self.request, job=self.job
        )

    async def same_image(self, tags: Sequence[str]) -> PushedImage | None:
        """See `longshore.registry.push.same_image`."""
        job = self.job
        client, repository = job.placer.client, job.repository
        options = job.noting(self.request.image.diff_ids, "registry")
        return await same_image(client, repository, tags, self.identity, options)

    async def engine_reaches(self) -> bool:
        """Whether the engine can do what was asked, at a registry it trusts by itself."""
        access = self.job.placer.client.access
        special = self.job.registry in map(normalise_registry, access.insecure)
        fits = self.settings.fits_the_engine((await self.engine.info()).containerd_store)
        return fits and not special and not access.authorities

    async def is_on_the_engines_machine(self) -> bool:
        """In a push "localhost" has always been that of the engine."""
        elsewhere = is_loopback(self.job.registry) and not (await self.engine.info()).local
        return elsewhere and await self.engine_reaches()

    def with_options(self, options: PushOptions) -> ImagePush:
        """The same with more known of it, or something else wanted."""
        return replace(self, job=replace(self.job, options=options))

    def explain(self, why: str) -> None:
        """Tell why the image takes this route, where that is wanted."""
        if self.settings.explain:
            self.request.on_line(f"{self.job.repository}: {why}")
