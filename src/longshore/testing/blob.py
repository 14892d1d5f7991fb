"""Blobs of tests: one in memory that comes in pieces, as layers do, and what registries have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_manifest
from longshore.oci.media_types import DOCKER_CONFIG
from longshore.registry.blobs import BlobBytes
from longshore.registry.client import RegistryClient
from longshore.registry.transport.exchange import Buffer


class BlobInPieces:
    """A `BlobSource` of some bytes, in pieces of at most `piece`; `opened` counts.

    A wrong `digest` makes it a damaged one.
    """

    def __init__(
        self, content: bytes, piece: int = 1 << 18, *, digest: Digest | None = None
    ) -> None:
        self.content = content
        self.piece = piece
        self.digest = digest or Digest.of(content)
        self.size = len(content)
        self.opened = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[BlobInPieces]:
        """See `BlobSource`; as in the pipeline of images a task group is open meanwhile."""
        self.opened += 1
        async with anyio.create_task_group():
            yield self

    async def __aiter__(self) -> AsyncIterator[Buffer]:
        for begin in range(0, len(self.content), self.piece):
            yield self.content[begin : begin + self.piece]


async def content_of(client: RegistryClient, repository: str, digest: Digest) -> bytes:
    """The bytes of a blob that a registry has; raises what reading it raises."""
    async with client.get_blob(repository, digest) as data:
        return b"".join([piece async for piece in data])


async def tiny_image(client: RegistryClient, repository: str) -> Manifest:
    """Upload a configuration, and say what the manifest of an image without layers is."""
    config = BlobBytes(b"{}")
    await client.upload_blob(repository, config, digest=config.digest)
    return image_manifest(Descriptor.of(config.content, DOCKER_CONFIG), [])
