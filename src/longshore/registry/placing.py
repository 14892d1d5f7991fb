"""Layers into the repositories of one registry, each by the cheapest way there is.

In this order: it is there already, under a digest we know; it is mounted from another repository;
somebody else is sending it right now; it is read, packed and sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import anyio

from longshore.image.compression import CompressionOptions, codec_for
from longshore.image.layer import LayerSource
from longshore.oci.digest import Digest
from longshore.oci.media_types import compression_of
from longshore.registry.client import RegistryClient
from longshore.registry.finding import MOUNTS_TRIED, Finder
from longshore.registry.known_layers import KnownLayers
from longshore.registry.memory import PUBLISHED, Forgetful, LayerMemory
from longshore.registry.once import Once
from longshore.registry.placed import Candidate, LayerBlob, Passed, Placed, key_of

LANES: Final = 4
"""Blobs on their way side by side: more only share the same cores and the same line."""


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
    known: KnownLayers = field(init=False)
    _finder: Finder = field(init=False)
    _placed: Once[tuple[str, Digest], Placed] = field(default_factory=Once)
    _sent: Once[Digest, Placed] = field(default_factory=Once)
    _missed: set[tuple[str, Digest]] = field(default_factory=set)
    """What was looked for in vain, until it is placed: it is not asked for again before."""

    def __post_init__(self) -> None:
        self.known = KnownLayers(
            host=self.client.host, memory=self.memory, codec=codec_for(self.compression).name
        )
        self._finder = Finder(
            client=self.client,
            compression=self.compression.compression,
            own=self.compression.level is not None,
            known=self.known,
        )

    async def find(
        self, repository: str, diff_id: Digest, candidates: Iterable[Candidate], name: str
    ) -> Placed | None:
        """The layer if it is in the repository, or can be mounted, as one of `candidates` or as
        what is remembered; nothing is read."""
        key = (repository, diff_id)
        known = self._placed.known(key)
        if known is not None or key in self._missed:
            return known
        found = await self._finder.find(repository, diff_id, candidates, name)
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
                found = await self._finder.find(repository, key, candidates, name)
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
        return await self._finder.have(repository, candidate, name)

    def forget(self, repository: str) -> None:
        """The registry has lost layers that it had in this repository."""
        self._placed.forget_if(lambda key, _: key[0] == repository)
        self._sent.forget_if(lambda _, placed: placed.repository == repository)
        self.passed.clear()
        self._missed.clear()
        self.client.forget_blobs(repository)

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
            codec = PUBLISHED if packed else self.known.codec
            await self.known.learn(placed.content, placed, codec)
        return placed

    async def _sources(
        self, layer: LayerSource, candidates: tuple[Candidate, ...]
    ) -> tuple[str, ...]:
        """Repositories that may have a packed layer; any other has been looked for already."""
        if layer.packed is None or layer.diff_id is None:
            return ()
        offered = await self.known.offered(layer.diff_id, candidates)
        same = (one for _, one in offered if one.digest == layer.packed.digest)
        names = dict.fromkeys(name for one in same for name in one.repositories)
        return tuple(names)[:MOUNTS_TRIED]


async def _value(found: Placed) -> Placed:
    return found
