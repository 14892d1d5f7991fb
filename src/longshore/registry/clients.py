"""The clients of one command: one a registry and credential, opened when first needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from msgspec import Struct, field

from longshore.image.compression import CompressionOptions
from longshore.oci.reference import normalise_registry
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.memory import Forgetful, LayerMemory
from longshore.registry.once import Once
from longshore.registry.placing import LANES, Placer
from longshore.registry.telling import to_current
from longshore.secrets.credential import Credential


class Clients(Struct, kw_only=True):
    """Gives out placers, which hold the clients; see `opened_clients`."""

    access: Access
    limits: Limits = field(default_factory=Limits)
    compression: CompressionOptions = field(default_factory=CompressionOptions)
    memory: LayerMemory = field(default_factory=Forgetful)
    _lanes: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(LANES))
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _placers: Once[tuple[str, Credential | None], Placer] = field(default_factory=Once)

    async def placer(self, registry: str, credential: Credential | None) -> Placer:
        """The placer for pushes to `registry` as `credential`; the same for the same.

        Raises InvalidValue when a certificate file for it cannot be used.
        """
        key = normalise_registry(registry), credential
        return await self._placers.get(key, lambda: self._opened(registry, credential))

    async def _opened(self, registry: str, credential: Credential | None) -> Placer:
        client = RegistryClient(
            host=registry,
            access=self.access,
            credential=credential,
            limits=self.limits,
            listener=to_current,
        )
        await self._stack.enter_async_context(client)
        return Placer(
            client=client, compression=self.compression, memory=self.memory, lanes=self._lanes
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._stack.aclose()


@asynccontextmanager
async def opened_clients(clients: Clients) -> AsyncIterator[Clients]:
    """Clients that are closed when the block is left."""
    try:
        yield clients
    finally:
        await clients.close()
