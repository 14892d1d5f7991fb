"""What is remembered of layers at one registry, and how that is added to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest
from longshore.oci.media_types import compression_of
from longshore.registry.memory import PUBLISHED, LayerMemory, Remembered
from longshore.registry.placed import Candidate, Placed


class KnownLayers(Struct, frozen=True, kw_only=True):
    """At the registry `host`; `codec` names what we pack with."""

    host: str
    memory: LayerMemory
    codec: str

    async def offered(
        self, diff_id: Digest, candidates: Iterable[Candidate]
    ) -> list[tuple[str, Candidate]]:
        """What may hold the layer, with its codec: our own packing first, `candidates` last."""
        recalled = [
            (codec, await self.memory.recall(self.host, diff_id, codec))
            for codec in (self.codec, PUBLISHED)
        ]
        offered = [(codec, _candidate(found)) for codec, found in recalled if found]
        return [*offered, *((PUBLISHED, candidate) for candidate in candidates)]

    async def holds(self, diff_ids: Iterable[Digest]) -> bool:
        """Whether something is remembered of every one of the layers."""
        for diff_id in diff_ids:
            if not await self.offered(diff_id, ()):
                return False
        return True

    async def is_published(self, diff_id: Digest) -> bool:
        """Whether a blob of the layer is remembered that others made, such as the engine."""
        return await self.memory.recall(self.host, diff_id, PUBLISHED) is not None

    async def learn(
        self, diff_id: Digest, placed: Placed, codec: str, also_in: Sequence[str] = ()
    ) -> None:
        """Remember where a layer is, and the repositories that had the blob before."""
        repositories = dict.fromkeys((placed.repository, *also_in))
        found = Remembered(
            digest=placed.delivery.digest,
            size=placed.size,
            compression=placed.compression,
            repositories=tuple(repositories),
        )
        await self.memory.learn(self.host, diff_id, codec, found)

    async def learn_published(
        self, repository: str, diff_ids: Sequence[Digest], manifest: Manifest
    ) -> None:
        """Remember the layers of an image that somebody else has pushed."""
        if len(diff_ids) != len(manifest.layers):
            return
        for diff_id, layer in zip(diff_ids, manifest.layers, strict=True):
            found = Remembered(
                digest=layer.digest,
                size=layer.size,
                compression=compression_of(layer.media_type),
                repositories=(repository,),
            )
            await self.memory.learn(self.host, diff_id, PUBLISHED, found)


def _candidate(found: Remembered) -> Candidate:
    return Candidate(
        digest=found.digest,
        size=found.size,
        compression=found.compression,
        repositories=found.repositories,
    )
