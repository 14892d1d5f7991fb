"""Push steps: an image of the run, to one or more references (spec section 5).

The pusher is a port of its own: a `PushRequest` goes in, progress lines and digests come out.
`EnginePusher` is the plain way through the engine's own push; ours is in `registry_pusher.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from longshore.engine.port import Engine, OnLine
from longshore.engine.spec import ImageInfo
from longshore.oci.reference import ImageReference
from longshore.secrets.credential import Credential


class PushedImage(Struct, frozen=True, kw_only=True):
    """One reference that was pushed, and the digest of its manifest."""

    reference: ImageReference
    digest: str
    summary: str = ""


OnPushed = Callable[[PushedImage], None]
"""Hears of each reference as soon as nothing is left to do for it, whatever fails beside it."""


class Order(Struct, frozen=True, kw_only=True):
    """What is to be pushed, as the user calls it, and where to: `targets` are on one registry."""

    name: str
    targets: tuple[ImageReference, ...]
    credential: Credential | None = None
    on_line: OnLine = field(default=lambda _: None)
    on_pushed: OnPushed = field(default=lambda _: None)


class PushRequest(Order, frozen=True, kw_only=True):
    """The order to push an image of the engine. `dockerfile` is what it was built from, if it was:
    its base images may have been published."""

    image: ImageInfo
    dockerfile: Path | None = None


class Pusher(Protocol):
    """Pushes images of the engine."""

    async def push(self, request: PushRequest) -> tuple[PushedImage, ...]:
        """Push the image under every target.

        Raises EnginePushFailed or RegistryError, naming the reference; never leaves a tag that
        points to something else than the image. What was pushed by then, `on_pushed` has heard.
        """
        ...

    async def prepare(self, request: PushRequest) -> bool:
        """Do beforehand what nobody can see: layers without a manifest; False when that cannot be
        done. Raises as `push` does.

        May be cancelled at any time, and run beside a `push` of the same.
        """
        ...


class EnginePusher(Struct, frozen=True):
    """Tags the image and lets the engine push it."""

    engine: Engine

    async def push(self, request: PushRequest) -> tuple[PushedImage, ...]:
        """See `Pusher`."""
        return tuple([await self._push(request, target) for target in request.targets])

    async def prepare(self, request: PushRequest) -> bool:
        """See `Pusher`; the engine cannot push layers alone."""
        return False

    async def _push(self, request: PushRequest, target: ImageReference) -> PushedImage:
        await self.engine.tag(request.image.id, str(target))
        digest = await self.engine.push(str(target), request.credential, request.on_line)
        pushed = PushedImage(reference=target, digest=digest)
        request.on_pushed(pushed)
        return pushed
