"""Images in an OCI layout directory (OCI image spec, ``image-layout.md``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from longshore.errors import InvalidValue, NotFound
from longshore.image.content import (
    BlobDirectory,
    choice_of,
    choose_manifest,
    document_in,
    images_for,
)
from longshore.image.files import FileImage
from longshore.oci.descriptor import Descriptor
from longshore.oci.manifest import Index, parse_manifest
from longshore.oci.media_types import OCI_INDEX
from longshore.oci.platform import Platform
from longshore.oci.reference import is_same_name

_LARGEST_INDEX: Final = 16 << 20
_NAME: Final = "org.opencontainers.image.ref.name"
"""Of most writers the name that was asked for, of containerd and engines only the tag."""
_WHOLE_NAME: Final = "io.containerd.image.name"


def open_oci_layout(path: Path, platform: Platform, name: str | None = None) -> FileImage:
    """The image of a layout: the one its index calls `name`, else the one for `platform`.

    Raises InvalidValue when it is no layout, NotFound when it has no such image.
    """
    offered = _offered(path, name)
    _check_names(path, images_for(offered, platform), name)
    chosen = choose_manifest(offered, platform)
    blobs = BlobDirectory(directory=path / "blobs" / "sha256", origin="OCI layout")
    image = blobs.image(chosen.digest, chosen.media_type, platform)
    return replace(image, choice=image.choice or choice_of(chosen, offered))


def _offered(path: Path, name: str | None) -> tuple[Descriptor, ...]:
    """What the index calls `name`, or all of it."""
    index = _index(path)
    if name is None:
        return index.manifests
    exact = tuple(m for m in index.manifests if m.annotations.get(_NAME) == name)
    named = exact or tuple(m for m in index.manifests if is_same_name(_called(m), name))
    if not named:
        raise NotFound(f'{path} has no image "{name}"', hint=f"it has: {_names(index.manifests)}")
    return named


def _check_names(path: Path, fitting: Sequence[Descriptor], name: str | None) -> None:
    """Raises NotFound where several are meant that a name would tell apart."""
    if len(set(map(_called, fitting))) > 1:
        what = f'{len(fitting)} images "{name}"' if name else f"{len(fitting)} images"
        raise NotFound(f"{path} has {what} to choose from", hint=f"name one of: {_names(fitting)}")


def _names(manifests: Iterable[Descriptor]) -> str:
    return ", ".join(sorted({_called(m) for m in manifests} - {""})) or "none"


def _called(manifest: Descriptor) -> str:
    annotations = manifest.annotations
    return annotations.get(_WHOLE_NAME) or annotations.get(_NAME, "")


def _index(path: Path) -> Index:
    try:
        content = document_in(path / "index.json", _LARGEST_INDEX + 1)
    except OSError as exc:
        raise NotFound(f"{path} is no OCI layout: index.json: {exc.strerror}") from exc
    if len(content) > _LARGEST_INDEX:
        raise InvalidValue(f"{path} is no OCI layout: index.json is too large")
    # A layout's index has no Content-Type, and rarely a mediaType.
    index = parse_manifest(content, OCI_INDEX)
    if not isinstance(index, Index):
        raise InvalidValue(f"{path / 'index.json'} is no index")
    return index
