"""The engine's containerd image store, where it is local and we may read it.

Its blobs are what was pulled or built, packed already; the image id of such an engine is the
digest of a manifest or an index in it (moby ``daemon/containerd``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec.structs import replace

from longshore.errors import InvalidValue, NotFound
from longshore.image.content import BlobDirectory
from longshore.image.files import FileImage
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest
from longshore.oci.media_types import is_oci
from longshore.oci.platform import Platform

_PLUGIN: Final = Path("io.containerd.content.v1.content", "blobs", "sha256")
_SYSTEM_ROOT: Final = Path("/var/lib/containerd")


def content_roots(data_root: Path) -> tuple[Path, ...]:
    """Where the store may be: a containerd of the engine's own, then the system's."""
    return (data_root / "containerd" / "daemon", data_root / "containerd", _SYSTEM_ROOT)


def open_containerd(data_root: Path, image_id: Digest, platform: Platform) -> FileImage:
    """The image of that id for `platform`, its layers as the packed blobs they are.

    Raises NotFound, in words that explain, when no store can be read or a part is not in it (a
    layer that was never pulled, say); ContentMismatch when a document is damaged.
    """
    for root in content_roots(data_root):
        blobs = root / _PLUGIN
        try:
            found = (blobs / image_id.hex).is_file()
        except PermissionError as exc:
            raise NotFound(f"{exc.filename} may only be read by root") from exc
        if found:
            return _open(
                BlobDirectory(directory=blobs, origin="containerd store"), image_id, platform
            )
    raise NotFound(f"no containerd store below {data_root} or {_SYSTEM_ROOT} has {image_id}")


def _open(blobs: BlobDirectory, image_id: Digest, platform: Platform) -> FileImage:
    try:
        image = blobs.image(image_id, None, platform)
    except InvalidValue as exc:
        raise NotFound(f"containerd store: {exc.message}") from exc
    return image if _is_of_one_family(image.manifest) else replace(image, manifest=None)


def _is_of_one_family(manifest: Manifest | None) -> bool:
    """The classic builder of engines 25 to 28 writes OCI manifests with layers of Docker's types
    among them, which skopeo and others refuse to convert; such a one is not worth keeping."""
    return manifest is None or all(
        is_oci(layer.media_type) is is_oci(manifest.media_type) for layer in manifest.layers
    )
