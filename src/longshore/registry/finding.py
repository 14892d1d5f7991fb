"""Layers that a registry has already, in the repository or elsewhere: nothing is read for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from longshore.errors import RegistryError
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression, packing_of
from longshore.registry.client import RegistryClient
from longshore.registry.known_layers import KnownLayers
from longshore.registry.placed import Candidate, Placed
from longshore.registry.progress import Exists, Mounted
from longshore.registry.uploads import Delivery

MOUNTS_TRIED: Final = 2
"""Repositories that are asked for one blob."""


class Finder(Struct, frozen=True, kw_only=True):
    """Looks for blobs packed with `compression`; `name` is for messages everywhere.

    `own`: only for those that our codec has made, for of others nobody knows the level.
    """

    client: RegistryClient
    compression: Compression
    own: bool = False
    known: KnownLayers

    async def find(
        self, repository: str, diff_id: Digest, candidates: Iterable[Candidate], name: str
    ) -> Placed | None:
        """The layer as one of `candidates` or as what is remembered, mounted if need be."""
        tried: set[Digest] = set()
        for codec, candidate in await self.known.offered(diff_id, candidates):
            if candidate.digest in tried or not self._wanted(codec, candidate):
                continue
            tried.add(candidate.digest)
            placed = await self.have(repository, candidate, name)
            if placed is not None:
                await self.known.learn(diff_id, placed, codec, candidate.repositories)
                return placed
        return None

    async def have(self, repository: str, candidate: Candidate, name: str) -> Placed | None:
        """That blob, if it is in the repository or can be mounted."""
        delivery = await self._confirmed(repository, candidate)
        if delivery is None:
            return await self._mounted(repository, candidate, name)
        self.client.listener(Exists(repository=repository, blob=name))
        return self._placed(repository, delivery, candidate)

    def _wanted(self, codec: str, candidate: Candidate) -> bool:
        """gzip is what nobody asked for; who asks for something else gets that."""
        if self.own and codec != self.known.codec:
            return False
        return candidate.compression in (None, self.compression)

    async def _mounted(self, repository: str, candidate: Candidate, name: str) -> Placed | None:
        sources = [one for one in candidate.repositories if one != repository]
        for source in sources[:MOUNTS_TRIED]:
            if not await self.client.mount(repository, candidate.digest, source):
                continue
            delivery = await self._confirmed(repository, candidate)
            if delivery is None:
                return None
            self.client.listener(Mounted(repository=repository, blob=name, source=source))
            mounted = replace(delivery, route="mounted", source=source)
            return self._placed(repository, mounted, candidate)
        return None

    async def _confirmed(self, repository: str, candidate: Candidate) -> Delivery | None:
        """The blob as the registry has it; None when it is not there, or is another one."""
        size = await self.client.find_blob(repository, candidate.digest)
        if size is None:
            return None
        if size <= 0:  # many web frameworks say 0 to every HEAD
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
        return packing_of(start) is self.compression

    def _placed(self, repository: str, delivery: Delivery, candidate: Candidate) -> Placed:
        return Placed(
            repository=repository,
            delivery=delivery,
            size=delivery.size,
            compression=candidate.compression or self.compression,
        )
