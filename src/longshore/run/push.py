"""Push steps: an image of the run, to one or more references (spec section 5).

The pusher is a port of its own: a `PushPlan` and the image go in, progress lines and digests come
out. `EnginePusher` is the plain way through the engine's own push.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from longshore.engine.port import Engine, OnLine
from longshore.engine.spec import ImageInfo
from longshore.oci.reference import ImageReference
from longshore.secrets.credential import Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedImage:
    """One reference that was pushed, and the digest of its manifest."""

    reference: ImageReference
    digest: str
    summary: str = ""


class Pusher(Protocol):
    """Pushes an image of the engine."""

    async def push(
        self,
        image: ImageInfo,
        targets: tuple[ImageReference, ...],
        credential: Credential | None,
        on_line: OnLine,
    ) -> tuple[PushedImage, ...]:
        """Push `image` under every target; all targets are on one registry.

        Raises EnginePushFailed or RegistryError, naming the reference; never leaves a tag that
        points to something else than `image`.
        """
        ...


@dataclass(frozen=True, slots=True)
class EnginePusher:
    """Tags the image and lets the engine push it."""

    engine: Engine

    async def push(
        self,
        image: ImageInfo,
        targets: tuple[ImageReference, ...],
        credential: Credential | None,
        on_line: OnLine,
    ) -> tuple[PushedImage, ...]:
        """See `Pusher`."""
        return tuple([await self._push(image, target, credential, on_line) for target in targets])

    async def _push(
        self,
        image: ImageInfo,
        target: ImageReference,
        credential: Credential | None,
        on_line: OnLine,
    ) -> PushedImage:
        await self.engine.tag(image.id, str(target))
        digest = await self.engine.push(str(target), credential, on_line)
        return PushedImage(reference=target, digest=digest)
