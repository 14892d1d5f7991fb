"""The engine's own store on disk, driver overlay2, where it is local and we may read it.

Below the data root (``/var/lib/docker``), written by engines since 1.10 (moby ``image/fs.go``,
``layer/filestore.go``)::

    image/overlay2/imagedb/content/sha256/<image id>       the configuration
    image/overlay2/layerdb/sha256/<chain id>/cache-id      name of the directory
                                            /diff          the diff ID
                                            /size          bytes of the files
                                            /tar-split.json.gz
    overlay2/<cache-id>/diff/                              the files
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from longshore.errors import ContentMismatch, InvalidValue, NotFound
from longshore.image.compression import CompressionOptions
from longshore.image.config import read_config
from longshore.image.layer import Blocks, ImageParts
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest

if TYPE_CHECKING:
    from longshore.image.packer_process import PackedApart

_LARGE: Final = 32 << 20
_LARGE_RECORD: Final = 128 << 10
_CACHE_ID: Final = re.compile(r"[0-9a-z]{1,128}")


class Overlay2Layer(Struct, frozen=True, kw_only=True):
    """A `LayerSource` that is put together from the record and the files."""

    diff_id: Digest
    size: int | None
    record: Path
    directory: Path

    @property
    def origin(self) -> str:
        return "overlay2"

    @property
    def packed(self) -> Descriptor | None:
        return None

    def open(self) -> Blocks:
        from longshore.image.flow import blocks_in_thread
        from longshore.image.reassembly import reassemble

        return blocks_in_thread(lambda: reassemble(self.record, self.directory))

    def packer(
        self, options: CompressionOptions
    ) -> AbstractAsyncContextManager[PackedApart] | None:
        """See `SelfPacking`: where starting a process costs less than working beside the loop."""
        if not self._is_large:
            return None
        from longshore.image.packer_process import packed_apart

        return packed_apart(self.record, self.directory, self.diff_id, options)

    @property
    def _is_large(self) -> bool:
        try:
            return (self.size or 0) > _LARGE or self.record.stat().st_size > _LARGE_RECORD
        except OSError as exc:
            raise NotFound(f"the engine's store has no {exc.filename}: {exc.strerror}") from exc


class Overlay2Image(Struct, frozen=True, kw_only=True):
    """A `StoredImage` in the engine's store."""

    parts: ImageParts
    layers: tuple[Overlay2Layer, ...]

    async def close(self) -> None:
        """Nothing is held open between layers."""


def open_overlay2(data_root: Path, image_id: Digest) -> Overlay2Image:
    """The image of that id in the store below `data_root`.

    Raises NotFound, in words that explain, when the store is not there, not readable or does not
    have the image (or the record of a layer); ContentMismatch when the configuration is damaged.
    """
    try:
        return _open(data_root, image_id)
    except PermissionError as exc:
        raise NotFound(f"{exc.filename} may only be read by root") from exc
    except OSError as exc:
        raise NotFound(f"the engine's store has no {exc.filename}: {exc.strerror}") from exc
    except InvalidValue as exc:
        raise NotFound(f"the engine's store is not as expected: {exc.message}") from exc


def _open(data_root: Path, image_id: Digest) -> Overlay2Image:
    base = data_root / "image" / "overlay2"
    parts = parts_of(
        (base / "imagedb" / "content" / "sha256" / image_id.hex).read_bytes(), image_id
    )
    layers = tuple(
        _layer(data_root, base / "layerdb" / "sha256" / chain.hex, diff_id)
        for chain, diff_id in zip(chain_ids(parts.diff_ids), parts.diff_ids, strict=True)
    )
    return Overlay2Image(parts=parts, layers=layers)


def parts_of(config: bytes, image_id: Digest) -> ImageParts:
    """What the configuration of that image says; ContentMismatch when it is damaged."""
    if Digest.of(config) != image_id:
        raise ContentMismatch(
            f"the configuration of image {image_id} is damaged in the engine's store",
            hint="build or pull the image again",
        )
    return read_config(config)


def chain_ids(diff_ids: Sequence[Digest]) -> tuple[Digest, ...]:
    """The names of the stacks of layers (OCI image spec, config.md, "Layer ChainID")."""
    chain: list[Digest] = []
    for diff_id in diff_ids:
        below = f"{chain[-1]} {diff_id}" if chain else ""
        chain.append(Digest(hashlib.sha256(below.encode()).hexdigest()) if below else diff_id)
    return tuple(chain)


def _layer(data_root: Path, entry: Path, diff_id: Digest) -> Overlay2Layer:
    cache_id = cache_id_of((entry / "cache-id").read_text(), (entry / "diff").read_text(), diff_id)
    directory, record = data_root / "overlay2" / cache_id / "diff", entry / "tar-split.json.gz"
    for path in (directory, record):
        path.stat()
    return Overlay2Layer(
        diff_id=diff_id, size=_size(entry / "size"), record=record, directory=directory
    )


def cache_id_of(cache_id: str, diff: str, diff_id: Digest) -> str:
    """The name of a layer's directory, from the files of its entry; InvalidValue when it is none,
    or the entry is another layer's."""
    cache_id = cache_id.strip()
    if not _CACHE_ID.fullmatch(cache_id):
        raise InvalidValue(f'"{cache_id[:80]}" is not the name of a layer\'s directory')
    if Digest.parse(diff.strip()) != diff_id:
        raise InvalidValue(f"layer {diff_id} has another digest there")
    return cache_id


def _size(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
