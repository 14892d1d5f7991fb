"""Images in an OCI layout directory (OCI image spec, ``image-layout.md``)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec.structs import replace

from longshore.errors import InvalidValue, NotFound
from longshore.image.content import BlobDirectory, choice_of, choose_manifest
from longshore.image.files import FileImage
from longshore.oci.descriptor import Descriptor
from longshore.oci.manifest import Index, parse_manifest
from longshore.oci.media_types import OCI_INDEX
from longshore.oci.platform import Platform

_LARGEST_INDEX: Final = 16 << 20
_NAME: Final = "org.opencontainers.image.ref.name"


def open_oci_layout(path: Path, platform: Platform, name: str | None = None) -> FileImage:
    """The image of a layout: the one its index calls `name`, else the one for `platform`.

    Raises InvalidValue when it is no layout, NotFound when it has no such image.
    """
    offered = _offered(path, name)
    chosen = choose_manifest(offered, platform)
    blobs = BlobDirectory(directory=path / "blobs" / "sha256", origin="OCI layout")
    image = blobs.image(chosen.digest, chosen.media_type, platform)
    return replace(image, choice=image.choice or choice_of(chosen, offered))


def _offered(path: Path, name: str | None) -> tuple[Descriptor, ...]:
    """What the index calls `name`, or all of it."""
    index = _index(path)
    if name is None:
        return index.manifests
    named = tuple(m for m in index.manifests if m.annotations.get(_NAME) == name)
    if not named:
        names = sorted(m.annotations[_NAME] for m in index.manifests if _NAME in m.annotations)
        raise NotFound(
            f'{path} has no image "{name}"', hint=f"it has: {', '.join(names) or 'none'}"
        )
    return named


def _index(path: Path) -> Index:
    try:
        with (path / "index.json").open("rb") as file:
            content = file.read(_LARGEST_INDEX + 1)
    except OSError as exc:
        raise NotFound(f"{path} is no OCI layout: index.json: {exc.strerror}") from exc
    if len(content) > _LARGEST_INDEX:
        raise InvalidValue(f"{path} is no OCI layout: index.json is too large")
    # A layout's index has no Content-Type, and rarely a mediaType.
    index = parse_manifest(content, OCI_INDEX)
    if not isinstance(index, Index):
        raise InvalidValue(f"{path / 'index.json'} is no index")
    return index
