"""An engine's store on disk, driver overlay2, as `longshore.image.overlay2` describes it."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from longshore.image.overlay2 import chain_ids
from longshore.oci.digest import Digest

_HIDE: Final = 'mount -t tmpfs tmpfs "$0" && exec "$@"'


def hiding_store(data_root: Path) -> tuple[str, ...]:
    """Before a command of root's: it does not see an engine's store, which all others do."""
    return ("unshare", "--mount", "sh", "-c", _HIDE, str(data_root / "image"))


def write_store(data_root: Path, config: bytes, tars: Sequence[bytes]) -> None:
    """Put an image of these layers there, beside others; they hold files, directories and links."""
    metadata = data_root / "image" / "overlay2"
    content = metadata / "imagedb" / "content" / "sha256"
    content.mkdir(parents=True, exist_ok=True)
    (content / Digest.of(config).hex).write_bytes(config)
    diff_ids = [Digest.of(tar) for tar in tars]
    for chain, diff_id, tar in zip(chain_ids(diff_ids), diff_ids, tars, strict=True):
        entry = metadata / "layerdb" / "sha256" / chain.hex
        if entry.exists():
            continue
        entry.mkdir(parents=True)
        (entry / "cache-id").write_text(chain.hex)
        (entry / "diff").write_text(str(diff_id))
        (entry / "size").write_text(str(len(tar)))
        (entry / "tar-split.json.gz").write_bytes(gzip.compress(b"".join(_record(tar))))
        directory = data_root / "overlay2" / chain.hex / "diff"
        directory.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(tar)) as files:
            # Python before 3.11.4 (Debian 12 has 3.11.2) knows no filters, nor an argument for one.
            files.extraction_filter = getattr(tarfile, "tar_filter", None)
            files.extractall(directory)  # noqa: S202  # the tests wrote what it holds


def _record(tar: bytes) -> Iterator[bytes]:
    """The lines of ``tar-split.json.gz``."""
    begin = 0
    with tarfile.open(fileobj=io.BytesIO(tar)) as members:
        for member in members:
            if member.isreg() and member.size:
                yield _raw(tar[begin : member.offset_data])
                yield _line({"type": 1, "name": member.name, "size": member.size})
                begin = member.offset_data + member.size
    yield _raw(tar[begin:])


def _raw(data: bytes) -> bytes:
    return _line({"type": 2, "payload": b64encode(data).decode()})


def _line(entry: dict[str, object]) -> bytes:
    return json.dumps({**entry, "position": 0}, separators=(",", ":")).encode() + b"\n"
