"""Images in memory, which fulfil `longshore.image.layer.StoredImage`, and count their reads."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from longshore.image.layer import BLOCK, Block, ImageParts, LayerSource
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression, Format


class MemoryLayer:
    """A layer of some bytes; `opened` counts. A wrong `diff_id` makes it a damaged one."""

    origin = "memory"
    packed: Descriptor | None = None

    def __init__(self, content: bytes, diff_id: Digest | None = None) -> None:
        self.content = content
        self.diff_id: Digest | None = diff_id or Digest.of(content)
        self.size: int | None = len(content)
        self.opened = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Block]]:
        """See `LayerSource`."""
        self.opened += 1
        yield self._blocks()

    async def _blocks(self) -> AsyncIterator[Block]:
        for begin in range(0, len(self.content), BLOCK):
            yield self.content[begin : begin + BLOCK]


class PackedLayer(MemoryLayer):
    """A layer that comes as a blob; that it holds `diff_id` is only said."""

    def __init__(self, blob: bytes, diff_id: Digest, compression: Compression) -> None:
        super().__init__(blob, diff_id)
        self.packed = Descriptor(
            media_type=Format.OCI.layer_type(compression), digest=Digest.of(blob), size=len(blob)
        )


class MemoryImage:
    """An image of such layers; `sources` are they."""

    def __init__(self, layers: Sequence[MemoryLayer]) -> None:
        self.sources = tuple(layers)
        self.layers: tuple[LayerSource, ...] = self.sources
        diff_ids = tuple(layer.diff_id for layer in layers if layer.diff_id)
        config = json.dumps({"rootfs": {"diff_ids": [str(one) for one in diff_ids]}}).encode()
        self.parts = ImageParts(config=config, config_digest=Digest.of(config), diff_ids=diff_ids)

    @property
    def opened(self) -> list[int]:
        """How often each layer was opened."""
        return [layer.opened for layer in self.sources]

    def saved(self, tag: str = "app:latest") -> bytes:
        """The image as engines from 25 on export it, ``manifest.json`` last."""
        buffer = io.BytesIO()
        config = f"blobs/sha256/{self.parts.config_digest.hex}"
        names = [f"blobs/sha256/{Digest.of(one.content).hex}" for one in self.sources]
        entry = {"Config": config, "RepoTags": [tag], "Layers": names}
        contents = dict(zip(names, (layer.content for layer in self.sources), strict=True))
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            documents = {config: self.parts.config, "manifest.json": json.dumps([entry]).encode()}
            for name, content in (contents | documents).items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return buffer.getvalue()
