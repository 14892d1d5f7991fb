"""The engine's store where only the engine may read it: another user's, another machine's.

A container is made of the image that is pushed, with parts of the store bound into it, read-only,
and it is never started: engines give files of containers that never ran (``docker cp``), with their
mounts. Only what is needed is bound: what the store says of this image, in one directory, for each
archive costs an engine 20.10 a process, with the files of small layers on top, for the same reason;
and the directories of the layers. While an engine gives a file of a container that container is
locked, so there are as many of them as there are streams at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Final

import anyio
from msgspec import Struct, field

from longshore.engine.port import Engine
from longshore.engine.spec import ContainerSpec, EngineInfo, ImageInfo, Mount
from longshore.environment import Environment
from longshore.errors import EngineError, EngineUnavailable, NotFound
from longshore.image.layer import StoredImage
from longshore.image.overlay2 import chain_ids
from longshore.image.overlay2_archive import CONFIG, ENTRIES, SMALL, open_archived
from longshore.oci.digest import Digest
from longshore.run.liveness import ProcessIdentity
from longshore.run.push.bases import certain_sizes, sizes_of
from longshore.run.push.image_source import diff_ids_of
from longshore.run.scope import RunScope

REFUSAL: Final = "LONGSHORE_NO_STORE_CONTAINER"

_ABOUT: Final = PurePosixPath("/.longshore-store/about")
_LAYERS: Final = PurePosixPath("/.longshore-store/layers")
_REMOVAL_SECONDS: Final = 60.0

_SMALL_BYTES: Final = 1 << 20
"""Of all small layers together; they come whether they are wanted or not."""

_SMALL_LAYERS: Final = 4
"""Each is one more mount for every archive."""


def store_refusal(info: EngineInfo, environment: Environment) -> str | None:
    """Why the engine cannot be asked for parts of its store, in words; None: it can be tried."""
    if environment.get(REFUSAL):
        return f"{REFUSAL} is set"
    if info.containerd_store or info.storage_driver != "overlay2":
        driver = "containerd's" if info.containerd_store else info.storage_driver
        return f"its storage driver is {driver}"
    return None if info.data_root else "it does not tell where its store is"


@asynccontextmanager
async def opened_through_engine(engine: Engine, image: ImageInfo) -> AsyncIterator[StoredImage]:
    """The image in a store that the engine reads for us; see `store_refusal`.

    Raises NotFound, in words that explain, where the engine does not do it; so do the layers.
    Nothing is left on the engine when the block is left.
    """
    info = await engine.info()
    assert info.data_root is not None
    added = await engine.added_sizes(image.id)
    small = _small_layers(image, certain_sizes(image, added) or ())
    store = EngineStore(engine=engine, image=image, data_root=info.data_root, small=small)
    try:
        yield await open_archived(store, Digest.parse(image.id), sizes_of(image, added))
    finally:
        await store.close()


def _small_layers(image: ImageInfo, sizes: Sequence[int]) -> tuple[Path, ...]:
    """Their directories; what is missing in a registry is rather on top."""
    if not len(sizes) == len(image.directories) == len(image.diff_ids):
        return ()
    if sum(sizes) != image.size:
        return ()  # a history may leave layers out, and have steps without one in their number
    found: list[Path] = []
    room = _SMALL_BYTES
    for size, directory in zip(reversed(sizes), reversed(image.directories), strict=True):
        if size <= room and len(found) < _SMALL_LAYERS:
            found.append(Path(directory))
            room -= size
    return tuple(found)


class EngineStore(Struct, kw_only=True):
    """A `StoreArchive`, by containers that are made when they are needed.

    `small`: the directories of layers whose files come with what the store says of the image.
    """

    engine: Engine
    image: ImageInfo
    data_root: Path
    small: tuple[Path, ...] = ()
    _scope: RunScope = field(
        default_factory=lambda: RunScope(
            project=Path.cwd(), process=ProcessIdentity.of_this_process()
        )
    )
    _count: int = 0
    _made: list[str] = field(default_factory=list)
    _idle: list[str] = field(default_factory=list)

    def about(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """See `StoreArchive`."""
        return self._archive(str(_ABOUT / path))

    def layers(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """See `StoreArchive`."""
        return self._archive(str(_LAYERS / path))

    async def close(self) -> None:
        """Remove the containers; what cannot be removed now is left to the next sweep."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_REMOVAL_SECONDS):
            async with anyio.create_task_group() as removals:
                while self._made:
                    removals.start_soon(self._remove, self._made.pop())

    @asynccontextmanager
    async def _archive(self, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        try:
            container = self._idle.pop() if self._idle else await self._create()
            try:
                async with self.engine.read_file(container, path) as chunks:
                    yield chunks
            finally:
                self._idle.append(container)
        except (EngineUnavailable, NotFound):
            raise
        except EngineError as refused:
            raise NotFound(f"the engine does not show its store: {refused.message}") from refused

    async def _create(self) -> str:
        self._count += 1
        container = await self.engine.create(self._spec(f"{self._scope.id}.{self._count}"))
        self._made.append(container)
        return container

    def _spec(self, name: str) -> ContainerSpec:
        return ContainerSpec(
            name=f"longshore-store-{name}",
            image=self.image.id,
            command=("never-started",),
            mounts=tuple(
                Mount(host=str(host), container=str(place), read_only=True, bare=True)
                for place, host in self._parts().items()
            ),
            labels=self._scope.labels("push"),
        )

    def _parts(self) -> dict[PurePosixPath, Path]:
        """What is bound, by its place in the container (see `longshore.image.overlay2`)."""
        layers, metadata = self.data_root / "overlay2", self.data_root / "image" / "overlay2"
        config = metadata / "imagedb" / "content" / "sha256" / Digest.parse(self.image.id).hex
        entries = metadata / "layerdb" / "sha256"
        chains = chain_ids(diff_ids_of(self.image))
        return {
            # Over the image's volumes as well: else anonymous ones would be made, and filled.
            **{PurePosixPath(volume): layers for volume in self.image.volumes},
            _LAYERS: layers,
            _ABOUT / CONFIG: config,
            **{_ABOUT / ENTRIES / chain.hex: entries / chain.hex for chain in chains},
            **{_ABOUT / SMALL / path.parent.name: path for path in self.small},
        }

    async def _remove(self, container: str) -> None:
        try:
            await self.engine.remove(container)
        except EngineError:
            return
