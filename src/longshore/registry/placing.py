"""Layers into the repositories of one registry, each by the cheapest way there is.

In this order: it is there already, under a digest we know; it is mounted from another repository;
somebody else is sending it right now; it is read, packed and sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import anyio
from msgspec.structs import replace

from longshore.errors import RegistryError
from longshore.image.compression import CompressionOptions, codec_for
from longshore.image.layer import LayerSource
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest
from longshore.oci.media_types import compression_of
from longshore.registry.client import RegistryClient
from longshore.registry.memory import PUBLISHED, Forgetful, LayerMemory, Remembered
from longshore.registry.once import Once
from longshore.registry.placed import (
    Candidate,
    LayerBlob,
    Passed,
    Placed,
    key_of,
    packing_of,
)
from longshore.registry.progress import Exists, Mounted
from longshore.registry.uploads import Delivery

LANES: Final = 4
"""Blobs on their way side by side: more only share the same cores and the same line."""

_MOUNTS_TRIED: Final = 2


@dataclass(slots=True, kw_only=True)
class Placer:
    """All pushes to one registry with one credential share one, so no layer is sent twice.

    `compression` is what layers that are not packed yet are packed with. What is placed stays
    known until `forget`.
    """

    client: RegistryClient
    compression: CompressionOptions = field(default_factory=CompressionOptions)
    memory: LayerMemory = field(default_factory=Forgetful)
    lanes: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(LANES))
    """Blobs on their way at a time; shared by all registries, since each takes memory."""
    passed: dict[Digest, Passed] = field(default_factory=dict)
    """Images that have streamed by, by what the engine calls them."""
    _codec: str = field(init=False)
    _placed: Once[tuple[str, Digest], Placed] = field(default_factory=Once)
    _sent: Once[Digest, Placed] = field(default_factory=Once)
    _missed: set[tuple[str, Digest]] = field(default_factory=set)
    """What was looked for in vain, until it is placed: it is not asked for again before."""

    def __post_init__(self) -> None:
        self._codec = codec_for(self.compression).name

    async def find(
        self, repository: str, diff_id: Digest, candidates: Iterable[Candidate], name: str
    ) -> Placed | None:
        """The layer if it is in the repository, or can be mounted, as one of `candidates` or as
        what is remembered; nothing is read."""
        key = (repository, diff_id)
        known = self._placed.known(key)
        if known is not None or key in self._missed:
            return known
        found = await self._find(repository, diff_id, candidates, name)
        if found is not None:
            await self._placed.get(key, lambda: _value(found))
        else:
            self._missed.add(key)
        return found

    async def place(
        self,
        repository: str,
        layer: LayerSource,
        candidates: Iterable[Candidate],
        name: str,
    ) -> Placed:
        """Have the layer in the repository, whatever it takes; `name` is for messages.

        Its diff ID, or the digest of the packed blob, has to be known.
        """
        key = key_of(layer)

        async def work() -> Placed:
            found = None
            missed = (repository, key) in self._missed
            self._missed.discard((repository, key))  # a second try looks again
            if layer.packed is None and not missed:
                found = await self._find(repository, key, candidates, name)
            return found or await self._sent_once(repository, layer, tuple(candidates), name)

        return await self._placed.get((repository, key), work)

    async def also(self, repository: str, key: Digest, placed: Placed, name: str) -> Placed | None:
        """A layer that a push of this command has placed, in this repository as well; None when it
        would have to be sent. `key` is its diff ID, or what `key_of` says."""
        if placed.repository == repository:
            return placed
        known = self._placed.known((repository, key))
        if known is not None:
            return known  # and how it came there: the registry would only say that it is there
        candidate = Candidate(
            digest=placed.delivery.digest,
            size=placed.size,
            compression=placed.compression,
            repositories=(placed.repository,),
        )
        found = await self._there(repository, candidate, name)
        return found or await self._mounted(repository, candidate, name)

    async def knows(self, diff_ids: Iterable[Digest]) -> bool:
        """Whether something is remembered of every one of the layers."""
        for diff_id in diff_ids:
            if not await self._offered(diff_id, ()):
                return False
        return True

    async def is_published(self, diff_id: Digest) -> bool:
        """Whether a blob of the layer is remembered that others made, such as the engine."""
        return await self.memory.recall(self.client.host, diff_id, PUBLISHED) is not None

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
            await self.memory.learn(self.client.host, diff_id, PUBLISHED, found)

    def forget(self, repository: str) -> None:
        """The registry has lost layers that it had in this repository."""
        self._placed.forget_if(lambda key, _: key[0] == repository)
        self._sent.forget_if(lambda _, placed: placed.repository == repository)
        self.passed.clear()
        self._missed.clear()
        self.client.forget_blobs(repository)

    # --- without reading -----------------------------------------------------------------------

    async def _find(
        self, repository: str, diff_id: Digest, candidates: Iterable[Candidate], name: str
    ) -> Placed | None:
        tried: set[Digest] = set()
        for codec, candidate in await self._offered(diff_id, candidates):
            if candidate.digest in tried or not self._wanted(candidate):
                continue
            tried.add(candidate.digest)
            placed = await self._there(repository, candidate, name)
            placed = placed or await self._mounted(repository, candidate, name)
            if placed is not None:
                await self._learn(diff_id, placed, codec, candidate)
                return placed
        return None

    async def _offered(
        self, diff_id: Digest, candidates: Iterable[Candidate]
    ) -> list[tuple[str, Candidate]]:
        """What may hold the layer, with its codec: our own packing first."""
        host = self.client.host
        recalled = [
            (codec, await self.memory.recall(host, diff_id, codec))
            for codec in (self._codec, PUBLISHED)
        ]
        offered = [(codec, _remembered(found)) for codec, found in recalled if found]
        return [*offered, *((PUBLISHED, candidate) for candidate in candidates)]

    def _wanted(self, candidate: Candidate) -> bool:
        """gzip is what nobody asked for; who asks for something else gets that."""
        return candidate.compression in (None, self.compression.compression)

    async def _there(self, repository: str, candidate: Candidate, name: str) -> Placed | None:
        delivery = await self._confirmed(repository, candidate)
        if delivery is None:
            return None
        self.client.listener(Exists(repository=repository, blob=name))
        return self._as_placed(repository, delivery, candidate)

    async def _mounted(self, repository: str, candidate: Candidate, name: str) -> Placed | None:
        sources = [one for one in candidate.repositories if one != repository]
        for source in sources[:_MOUNTS_TRIED]:
            if not await self.client.mount(repository, candidate.digest, source):
                continue
            delivery = await self._confirmed(repository, candidate)
            if delivery is None:
                return None
            self.client.listener(Mounted(repository=repository, blob=name, source=source))
            mounted = replace(delivery, route="mounted", source=source)
            return self._as_placed(repository, mounted, candidate)
        return None

    async def _confirmed(self, repository: str, candidate: Candidate) -> Delivery | None:
        """The blob as the registry has it; None when it is not there, or is another one."""
        size = await self.client.find_blob(repository, candidate.digest)
        if size is None:
            return None
        if size < 0:
            size = candidate.size
        elif candidate.size not in (None, size):
            return None
        if size is None or not await self._is_packed_so(repository, candidate):
            return None
        return Delivery(digest=candidate.digest, size=size, route="exists")

    async def _is_packed_so(self, repository: str, candidate: Candidate) -> bool:
        if candidate.compression is not None:
            return True
        try:
            async with self.client.get_blob(repository, candidate.digest) as data:
                start = await anext(aiter(data), b"")
        except RegistryError:
            return False  # it only saves time, and may be on a host out of our reach
        return packing_of(start) is self.compression.compression

    def _as_placed(self, repository: str, delivery: Delivery, candidate: Candidate) -> Placed:
        return Placed(
            repository=repository,
            delivery=delivery,
            size=delivery.size,
            compression=candidate.compression or self.compression.compression,
        )

    # --- by reading ----------------------------------------------------------------------------

    async def _sent_once(
        self, repository: str, layer: LayerSource, candidates: tuple[Candidate, ...], name: str
    ) -> Placed:
        """Sent here, or mounted from where another push has sent it meanwhile."""
        key = key_of(layer)
        first = await self._sent.get(key, lambda: self._send(repository, layer, candidates, name))
        found = await self.also(repository, key, first, name)
        return found or await self._send(repository, layer, candidates, name)

    async def _send(
        self, repository: str, layer: LayerSource, candidates: tuple[Candidate, ...], name: str
    ) -> Placed:
        packed, blob = layer.packed, LayerBlob(layer, self.compression)
        sources = await self._sources(layer, candidates)
        async with self.lanes:
            delivery = await self.client.upload_blob(
                repository,
                blob,
                digest=packed.digest if packed else None,
                mount_from=sources,
                name=name,
            )
        compression = compression_of(packed.media_type) if packed else self.compression.compression
        placed = Placed(
            repository=repository,
            delivery=delivery,
            size=packed.size if packed else delivery.size,
            compression=compression,
            content=blob.content,
        )
        if placed.content is not None:
            # What was there already nobody has looked into: only its image says what it holds.
            await self._learn(placed.content, placed, PUBLISHED if packed else self._codec)
        return placed

    async def _sources(
        self, layer: LayerSource, candidates: tuple[Candidate, ...]
    ) -> tuple[str, ...]:
        """Repositories that may have a packed layer; any other has been looked for already."""
        if layer.packed is None or layer.diff_id is None:
            return ()
        offered = await self._offered(layer.diff_id, candidates)
        same = (one for _, one in offered if one.digest == layer.packed.digest)
        names = dict.fromkeys(name for one in same for name in one.repositories)
        return tuple(names)[:_MOUNTS_TRIED]

    async def _learn(
        self, diff_id: Digest, placed: Placed, codec: str, known: Candidate | None = None
    ) -> None:
        others = known.repositories if known else ()
        repositories = dict.fromkeys((placed.repository, *others))
        found = Remembered(
            digest=placed.delivery.digest,
            size=placed.size,
            compression=placed.compression,
            repositories=tuple(repositories),
        )
        await self.memory.learn(self.client.host, diff_id, codec, found)


def _remembered(found: Remembered) -> Candidate:
    return Candidate(
        digest=found.digest,
        size=found.size,
        compression=found.compression,
        repositories=found.repositories,
    )


async def _value(found: Placed) -> Placed:
    return found
