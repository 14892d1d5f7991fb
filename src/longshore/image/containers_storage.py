"""The store of Podman and Buildah on disk, driver overlay, where it is local and we may read it.

Below its root (``/var/lib/containers/storage``, or in a user's ``~/.local/share``), written by
github.com/containers/storage (``images.go``, ``layers.go``, ``drivers/overlay``)::

    overlay-images/images.json                     the images, each with its top layer
    overlay-images/<image id>/=<base64>            the configuration, by the name of its digest
                             /manifest             what it was pulled or committed with
    overlay-layers/layers.json                     the layers: parent, diff ID, bytes of the tar
    overlay-layers/<layer id>.tar-split.gz         the record
    overlay/<layer id>/diff/                       the files
                      /composefs-data/             there when the files lie there otherwise
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from msgspec import DecodeError, Struct, field
from msgspec.json import Decoder

from longshore.errors import InvalidValue
from longshore.image.config import parts_of
from longshore.image.layer import ImageParts
from longshore.image.recorded import RecordedImage, RecordedLayer, directory_name, reading_store
from longshore.oci.digest import Digest
from longshore.oci.manifest import parse_manifest
from longshore.oci.media_types import Format, is_oci


class _Image(Struct, frozen=True):
    id: str
    layer: str = ""


class _Layer(Struct, frozen=True):
    id: str
    parent: str = ""
    diff_digest: str = field(name="diff-digest", default="")
    diff_size: int = field(name="diff-size", default=-1)


_Entry = TypeVar("_Entry", _Image, _Layer)
_IMAGES: Final = Decoder(list[_Image])
_LAYERS: Final = Decoder(list[_Layer])


def open_containers_storage(root: Path, image_id: Digest) -> RecordedImage:
    """The image of that id in the store at `root`.

    Raises NotFound, in words that explain, when the store is not there, not readable, or does not
    have the image (or a layer in a form that can be read, such as with composefs); ContentMismatch
    when the configuration is damaged.
    """
    with reading_store():
        images = _by_id(root / "overlay-images" / "images.json", _IMAGES)
        layers = _by_id(root / "overlay-layers" / "layers.json", _LAYERS)
        stack = _stack(layers, _entry(images, image_id.hex).layer)
        parts = _parts(root / "overlay-images" / image_id.hex, image_id)
        if len(stack) != len(parts.diff_ids):
            raise InvalidValue(f"{len(stack)} layers for an image of {len(parts.diff_ids)}")
        found = zip(stack, parts.diff_ids, strict=True)
        return RecordedImage(parts=parts, layers=tuple(_layer(root, *one) for one in found))


def _parts(folder: Path, image_id: Digest) -> ImageParts:
    name = "=" + b64encode(str(image_id).encode()).decode()
    config = (folder / name).read_bytes()
    manifest = parse_manifest((folder / "manifest").read_bytes())
    return parts_of(config, image_id, Format.OCI if is_oci(manifest.media_type) else Format.DOCKER)


def _by_id(path: Path, decoder: Decoder[list[_Entry]]) -> Mapping[str, _Entry]:
    try:
        return {entry.id: entry for entry in decoder.decode(path.read_bytes())}
    except (DecodeError, UnicodeDecodeError) as exc:
        raise InvalidValue(f"{path}: {exc}") from exc


def _entry(entries: Mapping[str, _Entry], name: str) -> _Entry:
    try:
        return entries[name]
    except KeyError:
        # Podman looks into additional stores as well, such as those of the system's images.
        raise InvalidValue(f"{name[:80]} is not in it, perhaps in an additional one") from None


def _stack(layers: Mapping[str, _Layer], top: str) -> Sequence[_Layer]:
    """The layers from the base up to `top`; no more than there are, whatever their parents say."""
    found: list[_Layer] = []
    while top and len(found) <= len(layers):
        found.append(_entry(layers, top))
        top = found[-1].parent
    return found[::-1]


def _layer(root: Path, layer: _Layer, diff_id: Digest) -> RecordedLayer:
    name = directory_name(layer.id, layer.diff_digest, diff_id)
    record = root / "overlay-layers" / f"{name}.tar-split.gz"
    place = root / "overlay" / name
    if (place / "composefs-data").exists():
        raise InvalidValue(f"layer {diff_id} is kept with composefs")
    for path in (directory := place / "diff", record):
        path.stat()
    return RecordedLayer(
        diff_id=diff_id,
        size=layer.diff_size if layer.diff_size >= 0 else None,
        record=record,
        directory=directory,
        origin="containers-storage",
    )
