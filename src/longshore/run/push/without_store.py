"""An image that the registry lacks and whose store we cannot read: through the engine, by its
export, or its own push."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from msgspec import Struct

from longshore.engine.port import Engine
from longshore.engine.spec import ImageInfo
from longshore.errors import ContentMismatch, EnginePushFailed, EngineUnavailable, NotFound
from longshore.image.choose import Choice, Route, Situation, choose
from longshore.image.cores import usable_cores
from longshore.image.export import ExportedImage
from longshore.image.layer import StoredImage
from longshore.oci.digest import Digest
from longshore.registry.placed import Passed, Placed
from longshore.registry.push import place_layers
from longshore.registry.push_stream import ImageStream, find_layers, place_stream, push_stream
from longshore.registry.receipt import Receipt
from longshore.run.push.bases import sizes_of
from longshore.run.push.engine_store import opened_through_engine, store_refusal
from longshore.run.push.image_push import ImagePush
from longshore.run.push.image_source import diff_ids_of
from longshore.run.push.pushes import push_stored

T = TypeVar("T")


class PushWithoutStore(Struct, frozen=True, kw_only=True):
    """One image on its way to one repository; `refusal` says why its store is not read."""

    image_push: ImagePush
    refusal: str

    async def push(self) -> Receipt:
        """By the cheapest route."""
        push, job = self.image_push, self.image_push.job
        route = await self._route()
        if route is Route.ENGINE_PUSH:
            try:
                return await push.by_engine.push()
            except EngineUnavailable:
                raise
            except EnginePushFailed as failure:
                push.request.on_line(f"{failure.message}; sending the layers ourselves instead")
        if route is not Route.EXPORT:
            receipt = await self._through_engine(lambda stored: push_stored(job, stored))
            if receipt is not None:
                return receipt
        diff_ids, source = push.request.image.diff_ids, "image export"
        options = job.noting(diff_ids, source)
        done = await push_stream(job.placer, job.repository, job.tags, self._stream, options)
        return job.receipt(done, diff_ids, source)

    async def prepare(self) -> bool:
        """The layers alone, as far as that is a gain; whether they are there now."""
        job = self.image_push.job
        if await self._engine_has_nothing_to_send():
            return True

        async def place(stored: StoredImage) -> Passed:
            layers = await place_layers(job.placer, job.repository, stored, job.options)
            return Passed(parts=stored.parts, layers=layers)

        passed = await self._through_engine(place)
        if passed is not None:
            job.placer.passed[self.image_push.identity] = passed
        else:
            await place_stream(job.placer, job.repository, self._stream, job.options)
        return True

    async def _through_engine(self, use: Callable[[StoredImage], Awaitable[T]]) -> T | None:
        """What `use` makes of the store as the engine reads it; None where it does not."""
        refusal = await self._engine_refuses()
        if refusal is None:
            push = self.image_push
            try:
                async with opened_through_engine(push.engine, push.request.image) as stored:
                    return await use(stored)
            except (NotFound, ContentMismatch) as reason:
                if isinstance(reason, ContentMismatch) and reason.registry is not None:
                    raise  # what was read was right, and reading it again mends nothing
                refusal = reason.message
        why = f"{self._why_not_read}; through the engine: {refusal}"
        self.image_push.explain(f"exporting the image ({why})")
        return None

    async def _engine_refuses(self) -> str | None:
        environment = self.image_push.job.placer.client.access.environment
        return store_refusal(await self.image_push.engine.info(), environment)

    # --- which route --------------------------------------------------------------------------

    async def _route(self) -> Route:
        """The cheapest one; what is there already is not sent."""
        push = self.image_push
        if push.identity in push.job.placer.passed:
            push.explain("taking the image from where it was read before")
            return Route.EXPORT
        if not await push.engine_reaches():
            # Seldom dearer than an export (many small layers), and it turns into one where it is
            # refused; to know better the registry would have to be asked for every layer.
            if await self._engine_refuses() is None:
                why = self._why_not_read
                push.explain(f"reading the engine's store through the engine ({why})")
            return Route.THROUGH_ENGINE
        choice = await self._choice(await self._found())
        push.explain(choice.reason)
        return choice.route

    async def _engine_has_nothing_to_send(self) -> bool:
        if not await self.image_push.engine_reaches():
            return False
        found = await self._found()
        layers = self.image_push.diff_ids
        return all([key in found and await self._engine_knows(key) for key in layers])

    async def _choice(self, found: Mapping[Digest, Placed]) -> Choice:
        engine, image = self.image_push.engine, self.image_push.request.image
        sizes = sizes_of(image, await engine.added_sizes(image.id))
        known = {key for key in found if await self._engine_knows(key)}
        situation = Situation(
            layer_sizes=tuple(sizes.values()),
            missing=tuple(size for key, size in sizes.items() if key not in found),
            engine_missing=tuple(size for key, size in sizes.items() if key not in known),
            cores=usable_cores(),
            store_refusal=self.refusal,
            packed_store=(await engine.info()).containerd_store,
            engine_reads=await self._engine_refuses() is None,
        )
        return choose(situation)

    async def _engine_knows(self, layer: Digest) -> bool:
        """Whether the blob in the registry is one the engine made or pulled; it does not find
        those that we packed, and would pack and send the layer again."""
        job = self.image_push.job
        return bool(job.options.of(layer)) or await job.placer.known.is_published(layer)

    async def _found(self) -> Mapping[Digest, Placed]:
        push, job = self.image_push, self.image_push.job
        return await find_layers(job.placer, job.repository, push.diff_ids, job.options)

    @property
    def _why_not_read(self) -> str:
        return f"the engine's store: {self.refusal}"

    @property
    def _stream(self) -> ImageStream:
        push = self.image_push
        return ImageStream(
            identity=push.identity,
            diff_ids=push.diff_ids,
            export=lambda: _exported(push.engine, push.request.image),
        )


@asynccontextmanager
async def _exported(engine: Engine, image: ImageInfo) -> AsyncIterator[ExportedImage]:
    """One pass of the image through the engine's export."""
    async with engine.export(image.id) as chunks:
        yield ExportedImage(chunks, diff_ids=diff_ids_of(image))
