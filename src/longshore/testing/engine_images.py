"""The images of the fake engine, and what all its methods do first."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
from msgspec import Struct, field

from longshore.engine.port import OnLine
from longshore.engine.spec import BuildSpec, EngineInfo, ImageInfo
from longshore.errors import (
    BuildFailed,
    EngineError,
    EnginePushFailed,
    EngineUnavailable,
    NotFound,
    PullFailed,
)
from longshore.secrets.credential import Credential
from longshore.testing.engine_script import FakeBuild, FakeImage

_INFO = EngineInfo(
    name="fake",
    version="0",
    architecture="x86_64",
    cpus=4,
    endpoint="fake://",
    local=False,
    storage_driver="fake",
    data_root=None,
    containerd_store=False,
)


class Call(Struct, frozen=True):
    """One call of a method of the port."""

    method: str
    subject: str
    detail: object = None


class FakeImageStore(Struct):
    """The port's methods for images, over dictionaries that tests fill."""

    images: dict[str, FakeImage] = field(default_factory=dict)
    pullable: dict[str, FakeImage] = field(default_factory=dict)
    builds: dict[Path, FakeBuild] = field(default_factory=dict)
    """By the Dockerfile's path; a Dockerfile that is not here builds an image that does nothing."""
    push_failures: dict[str, str] = field(default_factory=dict)
    on_push: Callable[[str, FakeImage], Awaitable[str]] | None = None
    """Brings an image to a registry under a reference, and gives its digest there."""
    failures: dict[str, list[EngineError]] = field(default_factory=dict)
    """By method: what its next calls raise, first come first."""
    calls: list[Call] = field(default_factory=list)
    pushed: dict[str, str] = field(default_factory=dict)
    engine_info: EngineInfo = _INFO
    keeps_caches: bool = False
    """Whether its builds store the cache of all stages themselves."""
    dead: bool = False

    def methods(self) -> list[str]:
        """The names of all calls, in order."""
        return [call.method for call in self.calls]

    async def info(self) -> EngineInfo:
        await self._asked("info")
        return self.engine_info

    async def build(self, spec: BuildSpec, on_line: OnLine) -> str:
        await self._asked("build", str(spec.dockerfile), spec)
        if not spec.context.is_dir() or not spec.dockerfile.is_file():
            raise BuildFailed(f"there is no Dockerfile at {spec.dockerfile}")
        text = f"{spec.dockerfile.read_text()}{sorted(spec.arguments)}"
        default = FakeBuild(image=FakeImage(salt=text))
        script = self.builds.get(spec.dockerfile, default)
        for line in script.lines:
            on_line(line)
        if script.until is not None:
            await script.until.wait()
        self._alive()
        if script.fails is not None:
            raise BuildFailed(script.fails)
        for tag in (script.image.id, *spec.tags):
            self.images[_named(tag)] = script.image
        return script.image.id

    async def keeps_cache(self, spec: BuildSpec) -> bool:
        return self.keeps_caches

    async def pull(self, reference: str, credential: Credential | None, on_line: OnLine) -> str:
        await self._asked("pull", reference, credential)
        image = self.pullable.get(reference) or self.pullable.get(_named(reference))
        if image is None:
            raise PullFailed(f"{reference} cannot be pulled: the registry has no such image")
        on_line(f"Pulling {reference}")
        self.images[_named(reference)] = self.images[image.id] = image
        return image.id

    async def inspect_image(self, reference: str) -> ImageInfo | None:
        await self._asked("inspect_image", reference)
        image = self._find_image(reference)
        return image.info if image else None

    async def added_sizes(self, image: str) -> tuple[int, ...]:
        await self._asked("added_sizes", image)
        found = self._image(image)
        return tuple(map(len, found.layer_tars)) if found.added is None else found.added

    async def tag(self, image: str, reference: str) -> None:
        await self._asked("tag", image, reference)
        self.images[_named(reference)] = self._image(image)

    async def push(self, reference: str, credential: Credential | None, on_line: OnLine) -> str:
        await self._asked("push", reference, credential)
        image = self._image(reference)
        on_line("Preparing")
        failure = self.push_failures.get(reference)
        if failure is not None:
            raise EnginePushFailed(f"Image Push error for image {reference}, {failure}")
        for diff_id in image.info.diff_ids:
            on_line(f"{diff_id.removeprefix('sha256:')[:12]}: Pushed")
        self.pushed[reference] = image.id
        if self.on_push is not None:
            return await self.on_push(reference, image)
        return "sha256:" + hashlib.sha256(image.id.encode()).hexdigest()

    @asynccontextmanager
    async def export(self, image: str) -> AsyncIterator[AsyncIterator[bytes]]:
        await self._asked("export", image)
        yield stream(self._image(image).archive((image,)))

    async def remove_image(self, image: str) -> None:
        await self._asked("remove_image", image)
        identity = self._image(image).id
        names = [name for name, kept in self.images.items() if kept.id == identity]
        if image != identity and image not in names:
            image = _named(image)
        left = [name for name in names if name not in {image, identity}]
        for name in names if image == identity or not left else [image]:
            del self.images[name]

    async def _asked(self, method: str, subject: str = "", detail: object = None) -> None:
        self._alive()
        self.calls.append(Call(method, subject, detail))
        await anyio.lowlevel.checkpoint()
        if self.failures.get(method):
            raise self.failures[method].pop(0)

    def _alive(self) -> None:
        if self.dead:
            raise EngineUnavailable("the fake engine has ended")

    def _find_image(self, reference: str) -> FakeImage | None:
        by_id = next((i for i in self.images.values() if i.id == reference), None)
        return by_id or self.images.get(reference) or self.images.get(_named(reference))

    def _image(self, reference: str) -> FakeImage:
        image = self._find_image(reference)
        if image is None:
            raise NotFound(f"the engine says: No such image: {reference}", status=404)
        return image


def _named(reference: str) -> str:
    """A reference with the tag it has when none is written."""
    if "@" in reference or reference.startswith("sha256:"):
        return reference
    return reference if ":" in reference.rpartition("/")[2] else f"{reference}:latest"


async def stream(data: bytes) -> AsyncIterator[bytes]:
    """The data in pieces, as a connection brings it."""
    for start in range(0, len(data), 1 << 16):
        yield data[start : start + (1 << 16)]
