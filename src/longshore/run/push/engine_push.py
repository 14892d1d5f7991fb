"""The engine's own push into one repository, and a look at what is there afterwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.engine.port import Engine
from longshore.errors import ContentMismatch, LongshoreError, RegistryError, UsageError
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest
from longshore.oci.platform import Platform
from longshore.registry.bases import PublishedImage, manifest_for
from longshore.registry.hosts import is_loopback
from longshore.registry.publish import see, verify
from longshore.registry.receipt import Receipt
from longshore.registry.uploads import Delivery, Route
from longshore.run.push.image_source import diff_ids_of
from longshore.run.push.port import EnginePusher, PushedImage, PushRequest
from longshore.run.push.pushes import Job
from longshore.run.push.settings import PusherChoice, PushSettings

_SHORT: Final = 12
_OF_A_LAYER: Final = re.compile(
    r"([0-9a-f]{12}): (Pushed|Layer already exists|Mounted from (\S+))$"
)
_LOOK: Final = 10.0
"""Seconds for a look at a registry that only the engine may be able to reach."""

_LOOKS: Final = 5
"""At one that answers; all of them have to fit into that time."""


class Told(Struct):
    """What an engine told of the layers while it pushed, by the short id it gives them: that of
    the diff ID, or with the containerd store of the blob."""

    routes: dict[str, tuple[Route, str]] = field(default_factory=dict)

    def hear(self, line: str) -> None:
        """One line of the engine's; of a second tag's push only what is new counts."""
        if match := _OF_A_LAYER.match(line):
            source = match[3] or ""
            route: Route = "mounted" if source else "sent" if match[2] == "Pushed" else "exists"
            self.routes.setdefault(match[1], (route, source))

    def deliveries(self, manifest: Manifest, diff_ids: Sequence[Digest]) -> tuple[Delivery, ...]:
        """How each layer came to be there; what the engine told nothing of it has sent."""
        if len(diff_ids) != len(manifest.layers):
            return ()
        pairs = zip(manifest.layers, diff_ids, strict=True)
        return tuple(self._delivery(layer.digest, layer.size, diff_id) for layer, diff_id in pairs)

    def _delivery(self, blob: Digest, size: int, diff_id: Digest) -> Delivery:
        told = self.routes.get(diff_id.hex[:_SHORT]) or self.routes.get(blob.hex[:_SHORT])
        route, source = told or ("sent", "")
        return Delivery(digest=blob, size=size, route=route, source=source)


class EnginePush(Struct, frozen=True, kw_only=True):
    """One image of the engine on its way to one repository by the engine's own push."""

    engine: Engine
    settings: PushSettings
    request: PushRequest
    job: Job

    async def push(self) -> Receipt:
        """Raises EnginePushFailed; RegistryError when something else is there afterwards."""
        in_sight = await self._in_sight()
        told = Told()

        def on_line(line: str) -> None:
            told.hear(line)
            self.request.on_line(line)

        done: list[PushedImage] = []

        def on_pushed(pushed: PushedImage) -> None:
            done.append(pushed)
            self.job.written.append(self._receipt(done))

        request = replace(
            self.request, targets=self.job.targets, on_line=on_line, on_pushed=on_pushed
        )
        await EnginePusher(self.engine).push(request)
        receipt = self._receipt(done)
        manifest = await self._seen(Digest.parse(receipt.digest)) if in_sight else None
        deliveries = told.deliveries(manifest, diff_ids_of(self.request.image)) if manifest else ()
        return replace(receipt, manifest=manifest, deliveries=deliveries)

    def _receipt(self, done: Sequence[PushedImage]) -> Receipt:
        """What the engine alone tells of them; its time is put on later."""
        return Receipt(
            image=self.request.name,
            targets=tuple(one.reference for one in done),
            digest=done[0].digest,
            manifest=None,
            diff_ids=tuple(map(str, diff_ids_of(self.request.image))),
            route="engine's own push",
            seconds=0.0,
        )

    async def _in_sight(self) -> bool:
        """Whether the registry the engine pushes to is one that we can ask."""
        registry = self.job.registry
        if not is_loopback(registry) or (await self.engine.info()).local:
            return True
        if self.settings.verify:
            raise UsageError(
                f"--verify cannot ask {registry}, which is on the machine of the engine",
                hint="leave --verify away, or name the registry as both machines know it",
            )
        return False

    async def _seen(self, digest: Digest) -> Manifest | None:
        """What is there, compared; None when we cannot look and the engine alone was wanted."""
        if self.settings.pusher is not PusherChoice.ENGINE or self.settings.verify:
            return await self._look(digest)
        reason = f"no answer within {_LOOK:g} s"
        with anyio.move_on_after(_LOOK):
            try:
                return await self._look(digest)
            except ContentMismatch:
                raise
            except RegistryError as error:
                reason = error.message
        self.request.on_line(f"only the engine says that {digest} is there: {reason}")
        return None

    async def _look(self, digest: Digest) -> Manifest | None:
        job, client = self.job, self.job.placer.client
        for tag in job.tags:
            try:
                await see(client, job.repository, tag, digest, looks=_LOOKS)
            except ContentMismatch:
                job.written.clear()  # what the engine says is not what is there
                raise
        platform = Platform.of_machine((await self.engine.info()).architecture)
        image = PublishedImage(repository=job.repository, digest=digest)
        manifest = await manifest_for(client, image, platform)
        if manifest is None:
            return None
        if self.settings.verify:
            await verify(client, job.repository, manifest)
        await self._remember(manifest)
        return manifest

    async def _remember(self, manifest: Manifest) -> None:
        """The engine's blobs, for the next estimate; not knowing them only costs time."""
        layers = diff_ids_of(self.request.image)
        with suppress(LongshoreError):
            await self.job.placer.known.learn_published(self.job.repository, layers, manifest)
