"""The pusher of push steps: our own registry client, which reads the engine's layers.

Where the engine's store can be read it is; else the estimate of `longshore.image.choose` decides
between the engine's reading it for us, its export and its own push.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from longshore.engine.port import Engine
from longshore.registry.client import Access
from longshore.registry.clients import Clients, opened_clients
from longshore.registry.memory import LayerCache
from longshore.registry.receipt import Receipt
from longshore.run.push import route
from longshore.run.push.image_push import ImagePush
from longshore.run.push.metadata_file import make_room
from longshore.run.push.port import PushedImage, Pusher, PushRequest
from longshore.run.push.pushes import Job, Pushes
from longshore.run.push.settings import PushSettings


class RegistryPusher(Struct, frozen=True, kw_only=True):
    """A `Pusher`; open it with `opened_pusher`. Pushes may run side by side and share uploads."""

    engine: Engine
    pushes: Pushes

    async def push(self, request: PushRequest) -> tuple[PushedImage, ...]:
        """See `Pusher`."""

        async def work(job: Job) -> Receipt:
            return await route.push_image(self._image_push(request, job))

        return await self.pushes.push(request, work)

    async def prepare(self, request: PushRequest) -> bool:
        """See `Pusher`."""

        async def work(job: Job) -> bool:
            return await route.prepare_image(self._image_push(request, job))

        return await self.pushes.prepare(request, work)

    def _image_push(self, request: PushRequest, job: Job) -> ImagePush:
        settings = self.pushes.settings
        return ImagePush(engine=self.engine, settings=settings, request=request, job=job)


@asynccontextmanager
async def opened_pusher(
    engine: Engine, access: Access, settings: PushSettings
) -> AsyncIterator[Pusher]:
    """The pusher that `settings` ask for; connections are closed when the block is left."""
    async with opened_pushes(access, settings) as pushes:
        yield RegistryPusher(engine=engine, pushes=pushes)


@asynccontextmanager
async def opened_pushes(access: Access, settings: PushSettings) -> AsyncIterator[Pushes]:
    """Pushes with the memory in the user's cache directory; a metadata file that is there already
    is removed, for what it tells is not of these pushes. Raises InvalidValue where it cannot be,
    or none could be written in its place; at the end, where that has shown only then."""
    if settings.metadata_file is not None:
        make_room(settings.metadata_file)
    memory = LayerCache(access.environment.cache_directory)
    clients = Clients(
        access=access,
        limits=settings.limits,
        compression=settings.compression,
        memory=memory,
    )
    pushes = Pushes(clients=clients, settings=settings)
    try:
        async with opened_clients(clients):
            yield pushes
    finally:
        memory.close()
    if pushes.unwritten is not None:
        raise pushes.unwritten
