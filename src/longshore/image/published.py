"""Under which digests an engine's layers were published: its own notes on what it pulled and
pushed (moby ``distribution/metadata/v2_metadata_service.go``)::

    image/overlay2/distribution/v2metadata-by-diffid/sha256/<diff ID>
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from msgspec import Struct

from longshore.errors import InvalidValue
from longshore.oci.digest import Digest
from longshore.oci.reference import ImageReference

_NOTES: Final = Path("image", "overlay2", "distribution", "v2metadata-by-diffid", "sha256")
_LARGEST: Final = 1 << 20


class Published(Struct, frozen=True, kw_only=True):
    """A blob that held a layer in a repository of a registry."""

    digest: Digest
    registry: str
    repository: str


def published_blobs(data_root: Path, diff_id: Digest) -> tuple[Published, ...]:
    """What the engine noted of a layer, the latest first; () when it cannot be read."""
    try:
        with (data_root / _NOTES / diff_id.hex).open("rb") as file:
            notes = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return ()
    if not isinstance(notes, list):
        return ()
    found = (_published(note) for note in reversed(notes))
    return tuple(one for one in found if one is not None)


def _published(note: object) -> Published | None:
    match note:
        case {"Digest": str(digest), "SourceRepository": str(source)}:
            try:
                place = ImageReference.parse(source)
                return Published(
                    digest=Digest.parse(digest),
                    registry=place.registry,
                    repository=place.repository,
                )
            except InvalidValue:
                return None
        case _:
            return None
