"""The pusher of push steps: our own registry client, reading the engine's layers the cheapest way.

Where the engine's store can be read it is; else the estimate of `longshore.image.choose` decides
between the engine's export and its own push.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from longshore.engine.port import Engine
from longshore.errors import EnginePushFailed, EngineUnavailable, LongshoreError, NotFound
from longshore.image.choose import Choice, Route, Situation, choose
from longshore.image.layer import StoredImage
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest
from longshore.oci.platform import Platform
from longshore.oci.reference import normalise_registry
from longshore.registry.bases import published_layers
from longshore.registry.client import Access
from longshore.registry.clients import Clients, opened_clients
from longshore.registry.credentials.store import is_local
from longshore.registry.memory import LayerCache
from longshore.registry.placed import Placed
from longshore.registry.push import PushOptions, place_layers, same_image
from longshore.registry.push_stream import ImageStream, find_layers, place_stream, push_stream
from longshore.registry.receipt import Receipt
from longshore.run.bases import bases_of, published_at, sizes_of
from longshore.run.image_source import (
    diff_ids_of,
    exported,
    noted_blobs,
    open_stored,
)
from longshore.run.push import EnginePusher, PushedImage, Pusher, PushRequest
from longshore.run.push_settings import PusherChoice, PushSettings
from longshore.run.pushing import Job, Order, Pushes, push_stored


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryPusher:
    """A `Pusher`; open it with `opened_pusher`. Pushes may run side by side and share uploads."""

    engine: Engine
    pushes: Pushes

    async def push(self, request: PushRequest) -> tuple[PushedImage, ...]:
        """See `Pusher`."""

        async def work(job: Job) -> Receipt:
            return await (await self._load(request, job)).push()

        return await self.pushes.push(_order(request), work)

    async def prepare(self, request: PushRequest) -> None:
        """See `Pusher`."""

        async def work(job: Job) -> None:
            await (await self._load(request, job)).prepare()

        await self.pushes.prepare(_order(request), work)

    async def _load(self, request: PushRequest, job: Job) -> _Load:
        try:
            stored, refusal = await open_stored(await self.engine.info(), request.image), ""
        except NotFound as reason:
            stored, refusal = None, reason.message
        load = _Load(
            engine=self.engine,
            settings=self.pushes.settings,
            request=request,
            job=job,
            stored=stored,
            refusal=refusal,
        )
        return replace(load, job=replace(job, options=await load.informed()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """One image of the engine on its way to one repository; `refusal` says why its store cannot
    be read when `stored` is None."""

    engine: Engine
    settings: PushSettings
    request: PushRequest
    job: Job
    stored: StoredImage | None
    refusal: str

    async def informed(self) -> PushOptions:
        """The options with what is known of the layers, from the engine's notes or its bases."""
        job, info = self.job, await self.engine.info()
        if self.stored is not None and not info.containerd_store:
            noted = await noted_blobs(info, self.request.image, job.registry)
            return replace(job.options, candidates=noted)
        published = published_at(await bases_of(self.engine, self.request), job.registry)
        repositories = tuple(dict.fromkeys(one.repository for one in published))
        options = replace(job.options, mount_from=repositories)
        if self.stored is not None or not published or await job.placer.knows(self._diff_ids[:1]):
            return options
        platform = Platform.of_machine(info.architecture)
        candidates = await published_layers(job.placer.client, published, platform)
        return replace(options, candidates=candidates)

    async def push(self) -> Receipt:
        """By the cheapest way; nothing is read when the registry has the image."""
        if self.stored is not None:
            self._explain("reading the engine's store directly")
            try:
                return await push_stored(self.job, self.stored)
            except NotFound as reason:
                return await self._without_store(reason).push()
        job = self.job
        there = await same_image(
            job.placer.client, job.repository, job.tags, self._identity, job.options
        )
        if there is not None:
            return job.receipt(there, self.request.image.diff_ids, "registry")
        if await self._is_for_the_engine():
            try:
                return await self._pushed_by_engine()
            except EngineUnavailable:
                raise
            except EnginePushFailed as failure:
                self.request.on_line(f"{failure.message}; exporting the image instead")
        done = await push_stream(job.placer, job.repository, job.tags, self._stream, job.options)
        return job.receipt(done, self.request.image.diff_ids, "image export")

    async def prepare(self) -> None:
        """The layers alone."""
        job, client = self.job, self.job.placer.client
        identity, tags = self._identity, self.job.tags[:1]
        if await same_image(client, job.repository, tags, identity, job.options) is not None:
            return
        if self.stored is not None:
            try:
                await place_layers(job.placer, job.repository, self.stored, job.options)
            except NotFound as reason:
                await self._without_store(reason).prepare()
        elif len(await self._found()) < len(set(self._diff_ids)):
            self._explain(f"exporting the image (the engine's store: {self.refusal})")
            await place_stream(job.placer, job.repository, self._stream, job.options)

    def _without_store(self, reason: NotFound) -> _Load:
        """The same image, of whose store a part cannot be read: rootless engines keep files of
        other users there. What of it was placed stays placed."""
        return replace(self, stored=None, refusal=reason.message)

    async def _is_for_the_engine(self) -> bool:
        """Whether the engine's own push is the cheaper way; what is there already is not sent."""
        registry, info = self.job.registry, await self.engine.info()
        if not self._engine_reaches(registry, info.containerd_store):
            self._explain(f"exporting the image (the engine's store: {self.refusal})")
            return False
        if is_local(registry) and not info.local:
            # "localhost" in a push has always been that of the engine.
            self._explain(f"letting the engine push: {registry} is on its machine")
            return True
        choice = await self._choice(await self._found())
        self._explain(choice.reason)
        return choice.route is Route.ENGINE_PUSH

    def _engine_reaches(self, registry: str, packed_store: bool) -> bool:
        """Whether the engine can do what was asked, at a registry it trusts by itself."""
        access = self.job.placer.client.access
        special = registry in map(normalise_registry, access.insecure)
        fits = self.settings.fits_the_engine(packed_store)
        return fits and not special and not access.authorities

    async def _choice(self, found: Mapping[Digest, Placed]) -> Choice:
        image = self.request.image
        sizes = sizes_of(image, await self.engine.added_sizes(image.id))
        known = {key for key in found if await self._engine_knows(key)}
        situation = Situation(
            layer_sizes=tuple(sizes.values()),
            missing=tuple(size for key, size in sizes.items() if key not in found),
            engine_missing=tuple(size for key, size in sizes.items() if key not in known),
            cores=len(os.sched_getaffinity(0)),
            store_refusal=self.refusal,
            packed_store=(await self.engine.info()).containerd_store,
        )
        return choose(situation)

    async def _engine_knows(self, layer: Digest) -> bool:
        """Whether the blob in the registry is one the engine made or pulled; it does not find
        those that we packed, and would pack and send the layer again."""
        job = self.job
        return bool(job.options.of(layer)) or await job.placer.is_published(layer)

    async def _remember(self, digest: str) -> None:
        """The engine's blobs, for the next estimate; not knowing them only costs time."""
        job = self.job
        with suppress(LongshoreError):
            manifest = await job.placer.client.get_manifest(job.repository, Digest.parse(digest))
            if isinstance(manifest, Manifest):
                await job.placer.learn_published(job.repository, self._diff_ids, manifest)

    async def _pushed_by_engine(self) -> Receipt:
        request = replace(self.request, targets=self.job.targets)
        done = await EnginePusher(self.engine).push(request)
        await self._remember(done[0].digest)
        return Receipt(
            image=self.request.name,
            targets=self.job.targets,
            digest=done[0].digest,
            manifest=None,
            route="engine's own push",
            seconds=0.0,
        )

    async def _found(self) -> Mapping[Digest, Placed]:
        job = self.job
        return await find_layers(job.placer, job.repository, self._diff_ids, job.options)

    @property
    def _stream(self) -> ImageStream:
        return ImageStream(
            identity=self._identity,
            diff_ids=self._diff_ids,
            export=lambda: exported(self.engine, self.request.image),
        )

    @property
    def _diff_ids(self) -> tuple[Digest, ...]:
        return diff_ids_of(self.request.image)

    @property
    def _identity(self) -> Digest:
        """What the engine calls the image: the digest of its configuration or manifest."""
        return Digest.parse(self.request.image.id)

    def _explain(self, why: str) -> None:
        if self.settings.explain:
            self.request.on_line(f"{self.job.repository}: {why}")


def _order(request: PushRequest) -> Order:
    return Order(
        name=request.name,
        targets=request.targets,
        credential=request.credential,
        on_line=request.on_line,
    )


@asynccontextmanager
async def opened_pusher(
    engine: Engine, access: Access, settings: PushSettings
) -> AsyncIterator[Pusher]:
    """The pusher that `settings` ask for; connections are closed when the block is left."""
    if settings.pusher is PusherChoice.ENGINE:
        yield EnginePusher(engine)
        return
    async with opened_pushes(access, settings) as pushes:
        yield RegistryPusher(engine=engine, pushes=pushes)


@asynccontextmanager
async def opened_pushes(access: Access, settings: PushSettings) -> AsyncIterator[Pushes]:
    """Pushes with the memory in the user's cache directory."""
    memory = LayerCache(access.environment.cache_directory)
    clients = Clients(
        access=access,
        limits=settings.limits,
        compression=settings.compression,
        memory=memory,
    )
    try:
        async with opened_clients(clients):
            yield Pushes(clients=clients, settings=settings)
    finally:
        memory.close()
