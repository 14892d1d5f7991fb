"""The way of one image of the engine into one repository, chosen by what is known of it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from longshore.engine.port import Engine
from longshore.errors import ContentMismatch, EnginePushFailed, EngineUnavailable, NotFound
from longshore.image.choose import Choice, Route, Situation, choose
from longshore.image.layer import StoredImage
from longshore.oci.digest import Digest
from longshore.oci.platform import Platform
from longshore.oci.reference import normalise_registry
from longshore.registry.bases import published_layers
from longshore.registry.credentials.store import is_local
from longshore.registry.placed import Passed, Placed
from longshore.registry.publish import PushedImage
from longshore.registry.push import PushOptions, place_layers, same_image
from longshore.registry.push_stream import ImageStream, find_layers, place_stream, push_stream
from longshore.registry.receipt import Receipt
from longshore.run.bases import bases_of, published_at, sizes_of
from longshore.run.engine_push import EnginePush
from longshore.run.engine_store import opened_through_engine, store_refusal
from longshore.run.image_source import diff_ids_of, exported, noted_blobs, open_stored
from longshore.run.push import PushRequest
from longshore.run.push_settings import PusherChoice, PushSettings
from longshore.run.pushing import Job, push_stored

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One image on its way to one repository; `refusal` says why the engine's store cannot be
    read when `stored` is None."""

    engine: Engine
    settings: PushSettings
    request: PushRequest
    job: Job
    stored: StoredImage | None = None
    refusal: str = ""

    async def opened(self) -> Passage:
        """The same with what is known of the image: its store, and blobs that hold its layers."""
        info = await self.engine.info()
        try:
            stored, refusal = await open_stored(info, self.request.image), ""
        except NotFound as reason:
            stored, refusal = None, reason.message
        passage = replace(self, stored=stored, refusal=refusal)
        return replace(passage, job=replace(self.job, options=await passage._informed()))

    async def _informed(self) -> PushOptions:
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
        if self.settings.pusher is PusherChoice.ENGINE:
            return await self._by_engine.push()
        if await self._is_on_the_engines_machine():
            self._explain(f"letting the engine push: {self.job.registry} is on its machine")
            return await self._by_engine.push()
        passage = await self.opened()
        if passage.stored is None:
            return await passage._push_unread()
        await passage._explain_reading(passage.stored)
        try:
            return await push_stored(passage.job, passage.stored)
        except NotFound as reason:
            return await passage._without_store(reason)._push_unread()

    async def prepare(self) -> bool:
        """The layers alone, as far as that is a gain; whether they are there now."""
        alone = self.settings.pusher is PusherChoice.ENGINE
        if alone or await self._is_on_the_engines_machine():
            return False
        passage = await self.opened()
        if await passage._same_image(passage.job.tags[:1]) is not None:
            return True
        if passage.stored is None:
            return await passage._prepare_unread()
        try:
            job = passage.job
            await place_layers(job.placer, job.repository, passage.stored, job.options)
        except NotFound as reason:
            return await passage._without_store(reason)._prepare_unread()
        return True

    async def _is_on_the_engines_machine(self) -> bool:
        """In a push "localhost" has always been that of the engine."""
        elsewhere = is_local(self.job.registry) and not (await self.engine.info()).local
        return elsewhere and await self._engine_reaches()

    def _without_store(self, reason: NotFound) -> Passage:
        """The same image, of whose store a part cannot be read: rootless engines keep files of
        other users there. What of it was placed stays placed."""
        return replace(self, stored=None, refusal=reason.message)

    # --- where the store cannot be read -------------------------------------------------------

    async def _push_unread(self) -> Receipt:
        there = await self._same_image(self.job.tags)
        if there is not None:
            return self.job.receipt(there, self.request.image.diff_ids, "registry")
        job, route = self.job, await self._route()
        if route is Route.ENGINE_PUSH:
            try:
                return await self._by_engine.push()
            except EngineUnavailable:
                raise
            except EnginePushFailed as failure:
                self.request.on_line(f"{failure.message}; sending the layers ourselves instead")
        if route is not Route.EXPORT:
            receipt = await self._through_engine(lambda stored: push_stored(job, stored))
            if receipt is not None:
                return receipt
        done = await push_stream(job.placer, job.repository, job.tags, self._stream, job.options)
        return job.receipt(done, self.request.image.diff_ids, "image export")

    async def _prepare_unread(self) -> bool:
        if await self._engine_has_nothing_to_send():
            return True
        job = self.job

        async def place(stored: StoredImage) -> Passed:
            layers = await place_layers(job.placer, job.repository, stored, job.options)
            return Passed(parts=stored.parts, layers=layers)

        passed = await self._through_engine(place)
        if passed is not None:
            job.placer.passed[self._identity] = passed
        else:
            await place_stream(job.placer, job.repository, self._stream, job.options)
        return True

    async def _through_engine(self, use: Callable[[StoredImage], Awaitable[T]]) -> T | None:
        """What `use` makes of the store as the engine reads it; None where it does not."""
        refusal = await self._engine_refuses()
        if refusal is None:
            try:
                async with opened_through_engine(self.engine, self.request.image) as stored:
                    return await use(stored)
            except (NotFound, ContentMismatch) as reason:
                if isinstance(reason, ContentMismatch) and reason.registry is not None:
                    raise  # what was read was right, and reading it again mends nothing
                refusal = reason.message
        self._explain(f"exporting the image ({self._why_not_read}; through the engine: {refusal})")
        return None

    async def _engine_refuses(self) -> str | None:
        environment = self.job.placer.client.access.environment
        return store_refusal(await self.engine.info(), environment)

    async def _route(self) -> Route:
        """The cheapest way; what is there already is not sent."""
        if self._identity in self.job.placer.passed:
            self._explain("taking the image from where it was read before")
            return Route.EXPORT
        if not await self._engine_reaches():
            # That is never dearer than an export, and turns into one where it is refused.
            if await self._engine_refuses() is None:
                why = self._why_not_read
                self._explain(f"reading the engine's store through the engine ({why})")
            return Route.THROUGH_ENGINE
        choice = await self._choice(await self._found())
        self._explain(choice.reason)
        return choice.route

    async def _engine_reaches(self) -> bool:
        """Whether the engine can do what was asked, at a registry it trusts by itself."""
        access = self.job.placer.client.access
        special = self.job.registry in map(normalise_registry, access.insecure)
        fits = self.settings.fits_the_engine((await self.engine.info()).containerd_store)
        return fits and not special and not access.authorities

    async def _engine_has_nothing_to_send(self) -> bool:
        if not await self._engine_reaches():
            return False
        found = await self._found()
        return all([key in found and await self._engine_knows(key) for key in self._diff_ids])

    async def _choice(self, found: Mapping[Digest, Placed]) -> Choice:
        image = self.request.image
        sizes = sizes_of(image, await self.engine.added_sizes(image.id))
        known = {key for key in found if await self._engine_knows(key)}
        situation = Situation(
            layer_sizes=tuple(sizes.values()),
            missing=tuple(size for key, size in sizes.items() if key not in found),
            engine_missing=tuple(size for key, size in sizes.items() if key not in known),
            cores=_cores(),
            store_refusal=self.refusal,
            packed_store=(await self.engine.info()).containerd_store,
            engine_reads=await self._engine_refuses() is None,
        )
        return choose(situation)

    async def _engine_knows(self, layer: Digest) -> bool:
        """Whether the blob in the registry is one the engine made or pulled; it does not find
        those that we packed, and would pack and send the layer again."""
        job = self.job
        return bool(job.options.of(layer)) or await job.placer.is_published(layer)

    async def _found(self) -> Mapping[Digest, Placed]:
        job = self.job
        return await find_layers(job.placer, job.repository, self._diff_ids, job.options)

    # --- what is told -------------------------------------------------------------------------

    async def _explain_reading(self, stored: StoredImage) -> None:
        if self.settings.explain:
            sizes = tuple(layer.size or 0 for layer in stored.layers)
            packed = (await self.engine.info()).containerd_store
            situation = Situation(
                layer_sizes=sizes, missing=sizes, cores=_cores(), packed_store=packed
            )
            self._explain(choose(situation).reason)

    def _explain(self, why: str) -> None:
        if self.settings.explain:
            self.request.on_line(f"{self.job.repository}: {why}")

    @property
    def _why_not_read(self) -> str:
        return f"the engine's store: {self.refusal}"

    # --- the image ----------------------------------------------------------------------------

    async def _same_image(self, tags: Sequence[str]) -> PushedImage | None:
        job = self.job
        client, repository = job.placer.client, job.repository
        return await same_image(client, repository, tags, self._identity, job.options)

    @property
    def _by_engine(self) -> EnginePush:
        return EnginePush(
            engine=self.engine, settings=self.settings, request=self.request, job=self.job
        )

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


def _cores() -> int:
    return len(os.sched_getaffinity(0))
