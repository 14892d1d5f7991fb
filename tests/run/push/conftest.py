"""What a push needs: an engine with an image, a registry's references, a pusher."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from longshore.engine.port import Engine
from longshore.engine.spec import EngineInfo
from longshore.environment import Environment
from longshore.oci.digest import Digest
from longshore.oci.reference import ImageReference
from longshore.registry.client import Access, RegistryClient
from longshore.registry.push import PushOptions, push
from longshore.run.push.port import Pusher, PushRequest
from longshore.run.push.registry_pusher import opened_pusher
from longshore.run.push.settings import PushSettings
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage
from longshore.testing.overlay2_store import write_store
from longshore.testing.registry import FaultyRegistry
from longshore.testing.stored import MemoryImage, MemoryLayer

IMAGE = FakeImage(
    layers=({"data": Random(1).randbytes(100_000)}, {"more": Random(2).randbytes(50_000)})
)
LOCAL = replace(FakeEngine().engine_info, local=True, data_root=Path("/nowhere"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushing:
    """An image of two layers, and what it takes to push it; `folder` is for what is remembered."""

    folder: Path
    image: FakeImage = IMAGE
    local: EngineInfo = LOCAL

    def engine(self) -> FakeEngine:
        """One that has the image, in a store nobody can read."""
        images = {"app:latest": self.image, self.image.id: self.image}
        return FakeEngine(images=images, engine_info=self.local, on_push=_bring)

    def reading_engine(self, root: Path) -> FakeEngine:
        """One whose store only it can read."""
        write_store(root, self.image.config, self.image.layer_tars)
        engine = self.engine()
        engine.engine_info = replace(
            self.local, local=False, storage_driver="overlay2", data_root=root
        )
        return engine

    def pusher(
        self, engine: Engine, settings: PushSettings | None = None, folder: Path | None = None
    ) -> AbstractAsyncContextManager[Pusher]:
        """As one process has it."""
        environment = Environment({"XDG_CACHE_HOME": str(folder or self.folder)})
        access = Access(environment=environment)
        return opened_pusher(engine, access, settings or PushSettings())

    def request(self, registry: FaultyRegistry, told: list[str], *names: str) -> PushRequest:
        """To push the image under `names`; lines go to `told`."""
        targets = tuple(
            ImageReference.parse(f"{registry.host}/{name}") for name in names or ("team/app:1",)
        )
        return PushRequest(image=self.image.info, name="app", targets=targets, on_line=told.append)


async def _bring(reference: str, image: FakeImage) -> str:
    """What an engine's push does at the registry."""
    place = ImageReference.parse(reference)
    contents = MemoryImage([MemoryLayer(tar) for tar in image.layer_tars])
    digest = Digest.parse(image.id)
    contents.parts = replace(contents.parts, config=image.config, config_digest=digest)
    access = Access(environment=Environment({}))
    async with RegistryClient(host=place.registry, access=access) as client:
        tags = [place.tag_or_latest]
        done = await push(client, place.repository, tags, contents, PushOptions())
    return str(done.manifest.digest)


@pytest.fixture
def pushing(tmp_path: Path) -> Pushing:
    """The image, and all that pushes it."""
    return Pushing(folder=tmp_path)
