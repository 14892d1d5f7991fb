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
from collections.abc import Sequence
from pathlib import Path

from longshore.image.config import parts_of
from longshore.image.recorded import RecordedImage, RecordedLayer, directory_name, reading_store
from longshore.oci.digest import Digest


def open_overlay2(data_root: Path, image_id: Digest) -> RecordedImage:
    """The image of that id in the store below `data_root`.

    Raises NotFound, in words that explain, when the store is not there, not readable or does not
    have the image (or the record of a layer); ContentMismatch when the configuration is damaged.
    """
    with reading_store():
        return _open(data_root, image_id)


def _open(data_root: Path, image_id: Digest) -> RecordedImage:
    base = data_root / "image" / "overlay2"
    parts = parts_of(
        (base / "imagedb" / "content" / "sha256" / image_id.hex).read_bytes(), image_id
    )
    layers = tuple(
        _layer(data_root, base / "layerdb" / "sha256" / chain.hex, diff_id)
        for chain, diff_id in zip(chain_ids(parts.diff_ids), parts.diff_ids, strict=True)
    )
    return RecordedImage(parts=parts, layers=layers)


def chain_ids(diff_ids: Sequence[Digest]) -> tuple[Digest, ...]:
    """The names of the stacks of layers (OCI image spec, config.md, "Layer ChainID")."""
    chain: list[Digest] = []
    for diff_id in diff_ids:
        below = f"{chain[-1]} {diff_id}" if chain else ""
        chain.append(Digest(hashlib.sha256(below.encode()).hexdigest()) if below else diff_id)
    return tuple(chain)


def _layer(data_root: Path, entry: Path, diff_id: Digest) -> RecordedLayer:
    cache_id = directory_name(
        (entry / "cache-id").read_text(), (entry / "diff").read_text(), diff_id
    )
    directory, record = data_root / "overlay2" / cache_id / "diff", entry / "tar-split.json.gz"
    for path in (directory, record):
        path.stat()
    return RecordedLayer(
        diff_id=diff_id,
        size=_size(entry / "size"),
        record=record,
        directory=directory,
        origin="overlay2",
    )


def _size(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
