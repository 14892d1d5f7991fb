"""The pusher of push steps: our own registry client, reading the engine's layers the cheapest way.

Where the engine's store can be read it is; else the estimate of `longshore.image.choose` decides
between the engine's export and its own push.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

import anyio

from longshore.engine.port import Engine
from longshore.errors import (
    EnginePushFailed,
    EngineUnavailable,
    LongshoreError,
    NotFound,
    RegistryUnavailable,
)
from longshore.image.choose import Route, Situation, choose
from longshore.image.layer import StoredImage
from longshore.oci.digest import Digest
from longshore.oci.reference import ImageReference, normalise_registry
from longshore.registry.bases import published_layers
from longshore.registry.client import Access
from longshore.registry.clients import Clients, opened_clients
from longshore.registry.credentials.store import is_local
from longshore.registry.memory import LayerCache
from longshore.registry.placing import Placer
from longshore.registry.publish import PushedImage as Published
from longshore.registry.push import PushOptions, place_layers, push, same_image
from longshore.registry.push_stream import find_layers, place_stream, push_stream
from longshore.registry.receipt import Receipt, metadata
from longshore.registry.side_by_side import side_by_side
from longshore.registry.telling import Lines, telling
from longshore.run.bases import bases_of, published_at, sizes_of
from longshore.run.image_source import (
    diff_ids_of,
    exported,
    noted_blobs,
    open_stored,
    platform_of,
)
from longshore.run.push import EnginePusher, PushedImage, Pusher, PushRequest
from longshore.run.push_settings import PusherChoice, PushSettings
from longshore.secrets.atomic_file import PUBLIC, replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One image into one repository, under all of `targets`; `options` knows some blobs."""

    request: PushRequest
    targets: tuple[ImageReference, ...]
    placer: Placer
    options: PushOptions
    stored: StoredImage | None
    refusal: str
    """Why the engine's store cannot be read, when `stored` is None."""

    @property
    def repository(self) -> str:
        """Its name at the registry."""
        return self.targets[0].repository

    @property
    def registry(self) -> str:
        """Its host."""
        return self.targets[0].registry

    @property
    def tags(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(target.tag_or_latest for target in self.targets))

    @property
    def identity(self) -> Digest:
        """What the engine calls the image: the digest of its configuration or manifest."""
        return Digest.parse(self.request.image.id)


@dataclass(slots=True, kw_only=True)
class RegistryPusher:
    """A `Pusher`; open it with `opened_pusher`. Pushes may run side by side and share uploads."""

    engine: Engine
    clients: Clients
    settings: PushSettings = field(default_factory=PushSettings)
    _receipts: list[Receipt] = field(default_factory=list)

    async def push(self, request: PushRequest) -> tuple[PushedImage, ...]:
        """See `Pusher`."""
        places = _by_repository(request.targets)

        async def one(targets: tuple[ImageReference, ...]) -> Receipt:
            return await self._push(request, targets)

        receipts = await side_by_side(one, places, at_once=4)
        self._receipts += receipts
        self._record()
        return tuple(
            PushedImage(reference=target, digest=receipt.digest, summary=receipt.summary)
            for receipt in receipts
            for target in receipt.targets
        )

    def _record(self) -> None:
        path = self.settings.metadata_file
        if path is not None:
            replace_file(path, metadata(self._receipts), mode=PUBLIC)

    async def prepare(self, request: PushRequest) -> None:
        """See `Pusher`."""
        for targets in _by_repository(request.targets):
            with telling(Lines(request.on_line)):
                job = await self._job(request, targets)
                await self._prepare(job)

    # --- the whole push ------------------------------------------------------------------------

    async def _push(self, request: PushRequest, targets: tuple[ImageReference, ...]) -> Receipt:
        began = time.monotonic()
        deadline = self.settings.limits.deadline
        with named_in_errors(targets[0]), telling(Lines(request.on_line)):
            with anyio.move_on_after(deadline):
                receipt = await self._routed(await self._job(request, targets))
                return replace(receipt, seconds=time.monotonic() - began)
            raise RegistryUnavailable(
                f"the push did not finish within {deadline:g} s",
                hint="allow more time with --push-timeout, or find out what is slow",
                registry=targets[0].registry,
                repository=targets[0].repository,
            )

    async def _routed(self, job: Job) -> Receipt:
        if job.stored is not None:
            self._explain(job, "reading the engine's store directly")
            done = await push(
                job.placer.client, job.repository, job.tags, job.stored, job.options, job.placer
            )
            origins = sorted({layer.origin for layer in job.stored.layers})
            return _receipt(job, done, ", ".join(origins) or "engine's store")
        there = await same_image(
            job.placer.client, job.repository, job.tags, job.identity, job.options
        )
        if there is not None:
            return _receipt(job, there, "registry")
        if await self._is_for_the_engine(job):
            try:
                return await self._pushed_by_engine(job)
            except EngineUnavailable:
                raise
            except EnginePushFailed as failure:
                job.request.on_line(f"{failure.message}; exporting the image instead")
        done = await push_stream(
            job.placer,
            job.repository,
            job.tags,
            job.identity,
            diff_ids_of(job.request.image),
            lambda: exported(self.engine, job.request.image),
            job.options,
        )
        return _receipt(job, done, "image export")

    async def _is_for_the_engine(self, job: Job) -> bool:
        """Whether the engine's own push is the cheaper way; what is there already is not sent."""
        if not self._engine_reaches(job.registry):
            self._explain(job, f"exporting the image (the engine's store: {job.refusal})")
            return False
        info = await self.engine.info()
        if is_local(job.registry) and not info.local:
            # "localhost" in a push has always been that of the engine.
            self._explain(job, f"letting the engine push: {job.registry} is on its machine")
            return True
        found = await find_layers(
            job.placer, job.repository, diff_ids_of(job.request.image), job.options
        )
        bases = await bases_of(self.engine, job.request)
        sizes = sizes_of(job.request.image, bases[1:])
        choice = choose(
            Situation(
                layer_sizes=tuple(sizes.values()),
                missing=tuple(size for key, size in sizes.items() if key not in found),
                cores=len(os.sched_getaffinity(0)),
                store_refusal=job.refusal,
                packed_store=info.containerd_store,
            )
        )
        self._explain(job, choice.reason)
        return choice.route is Route.ENGINE_PUSH

    def _engine_reaches(self, registry: str) -> bool:
        """Whether the engine can do what was asked, at a registry it trusts by itself."""
        access = self.clients.access
        special = registry in map(normalise_registry, access.insecure)
        return self.settings.fits_the_engine and not special and not access.authorities

    async def _pushed_by_engine(self, job: Job) -> Receipt:
        request = replace(job.request, targets=job.targets)
        done = await EnginePusher(self.engine).push(request)
        return Receipt(
            image=job.request.name,
            targets=job.targets,
            digest=done[0].digest,
            manifest=None,
            route="engine's own push",
            seconds=0.0,
        )

    # --- beforehand ----------------------------------------------------------------------------

    async def _prepare(self, job: Job) -> None:
        client, tags = job.placer.client, job.tags[:1]
        if await same_image(client, job.repository, tags, job.identity, job.options) is not None:
            return
        if job.stored is not None:
            await place_layers(job.placer, job.repository, job.stored, job.options)
            return
        diff_ids = diff_ids_of(job.request.image)
        found = await find_layers(job.placer, job.repository, diff_ids, job.options)
        if len(found) < len(set(diff_ids)):
            await place_stream(
                job.placer,
                job.repository,
                diff_ids,
                lambda: exported(self.engine, job.request.image),
                job.options,
            )

    async def _job(self, request: PushRequest, targets: tuple[ImageReference, ...]) -> Job:
        registry = targets[0].registry
        placer = await self.clients.placer(registry, request.credential)
        stored, refusal = await self._stored(request)
        job = Job(
            request=request,
            targets=targets,
            placer=placer,
            options=_options(self.settings),
            stored=stored,
            refusal=refusal,
        )
        return replace(job, options=await self._informed(job))

    async def _stored(self, request: PushRequest) -> tuple[StoredImage | None, str]:
        try:
            return await open_stored(await self.engine.info(), request.image), ""
        except NotFound as reason:
            return None, reason.message

    async def _informed(self, job: Job) -> PushOptions:
        """The options with what is known of the layers, from the engine's notes or its bases."""
        info = await self.engine.info()
        if job.stored is not None and not info.containerd_store:
            noted = await noted_blobs(info, job.request.image, job.registry)
            return replace(job.options, candidates=noted)
        published = published_at(await bases_of(self.engine, job.request), job.registry)
        repositories = tuple(dict.fromkeys(one.repository for one in published))
        options = replace(job.options, mount_from=repositories)
        if (
            job.stored is not None
            or not published
            or await job.placer.knows(diff_ids_of(job.request.image)[:1])
        ):
            return options
        candidates = await published_layers(job.placer.client, published, platform_of(info))
        return replace(options, candidates=candidates)

    def _explain(self, job: Job, why: str) -> None:
        if self.settings.explain:
            job.request.on_line(f"{job.repository}: {why}")


@asynccontextmanager
async def opened_pusher(
    engine: Engine, access: Access, settings: PushSettings
) -> AsyncIterator[Pusher]:
    """The pusher that `settings` ask for; connections are closed when the block is left."""
    if settings.pusher is PusherChoice.ENGINE:
        yield EnginePusher(engine)
        return
    memory = LayerCache(access.environment.cache_directory)
    clients = Clients(
        access=access,
        limits=settings.limits,
        compression=settings.compression,
        memory=memory,
    )
    try:
        async with opened_clients(clients):
            yield RegistryPusher(engine=engine, clients=clients, settings=settings)
    finally:
        memory.close()


@contextmanager
def named_in_errors(target: ImageReference) -> Iterator[None]:
    """Errors inside begin with the words of P-23 and name the reference."""
    prefix = f"Image Push error for image {target}, "
    try:
        yield
    except EngineUnavailable:
        raise
    except LongshoreError as error:
        if not error.message.startswith("Image Push error"):
            error.message = prefix + error.message
            error.args = (error.message,)
        raise


def _options(settings: PushSettings) -> PushOptions:
    return PushOptions(
        compression=settings.compression, format=settings.format, verify=settings.verify
    )


def _by_repository(
    targets: tuple[ImageReference, ...],
) -> tuple[tuple[ImageReference, ...], ...]:
    groups: dict[str, list[ImageReference]] = {}
    for target in targets:
        groups.setdefault(target.name, []).append(target)
    return tuple(map(tuple, groups.values()))


def _receipt(job: Job, done: Published, route: str) -> Receipt:
    return Receipt(
        image=job.request.name,
        targets=job.targets,
        digest=str(done.manifest.digest),
        manifest=done.manifest,
        deliveries=done.deliveries,
        diff_ids=job.request.image.diff_ids,
        route=route,
        seconds=0.0,
    )
