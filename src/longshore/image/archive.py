"""``docker save``: what is in the archive, and images in an archive file.

Engines up to 24 write ``<id>/layer.tar`` (a symlink where a layer occurs twice), the configuration
as ``<image id>.json`` and ``manifest.json``; later ones an OCI layout with the same
``manifest.json`` (moby ``image/tarexport/save.go``, ``daemon/containerd/image_exporter.go``).
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import stat
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from longshore.errors import InvalidValue, NotFound
from longshore.image.config import read_config
from longshore.image.files import FileImage, FileLayer
from longshore.image.layer import ImageParts
from longshore.image.overlay2 import chain_ids
from longshore.oci.digest import Digest
from longshore.oci.fields import Fields
from longshore.oci.media_types import Compression, packing_of
from longshore.oci.reference import is_same_name

MANIFEST: Final = "manifest.json"
LARGEST_DOCUMENT: Final = 16 << 20

# The zero value of moby's container.Config, which is part of what a legacy id is the digest of.
_NO_CONTAINER: Final = (
    '{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,'
    '"AttachStderr":false,"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":null,'
    '"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null}'
)


class SavedImage(Struct, frozen=True, kw_only=True):
    """An entry of ``manifest.json``: names of members."""

    config: str
    layers: tuple[str, ...]
    tags: tuple[str, ...]


def read_saved(content: bytes) -> tuple[SavedImage, ...]:
    """The images ``manifest.json`` lists; raises InvalidValue."""
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise InvalidValue(f"{MANIFEST} of the archive is not JSON: {exc}") from exc
    return Fields({"images": entries}, MANIFEST).objects("images", _saved)


def _saved(entry: Fields) -> SavedImage:
    return SavedImage(
        config=entry.text("Config"), layers=entry.texts("Layers"), tags=entry.texts("RepoTags")
    )


def legacy_ids(diff_ids: Sequence[Digest]) -> tuple[str, ...]:
    """The directory names engines up to 24 give the layers, without the topmost.

    The topmost's depends on the whole configuration (moby ``image/v1/imagev1.go``, CreateID).
    """
    ids: list[str] = []
    for chain in chain_ids(diff_ids)[:-1]:
        parent = f',"parent":"sha256:{ids[-1]}"' if ids else ""
        text = (
            f'{{"container_config":{_NO_CONTAINER},"created":"1970-01-01T00:00:00Z",'
            f'"layer_id":"{chain}"{parent}}}'
        )
        ids.append(hashlib.sha256(text.encode()).hexdigest())
    return tuple(ids)


def choose_saved(images: Sequence[SavedImage], name: str | None) -> SavedImage:
    """The image tagged `name`, ``latest`` unless it has a tag, or the only one; raises NotFound."""
    fitting = [image for image in images if name is None or _is_called(image, name)]
    if len(fitting) == 1:
        return fitting[0]
    tags = ", ".join(tag for image in images for tag in image.tags) or "none"
    what = f'no image "{name}"' if name else f"{len(images)} images"
    raise NotFound(f"the archive has {what}", hint=f"name one of: {tags}")


def _is_called(image: SavedImage, name: str) -> bool:
    return any(is_same_name(tag, name) for tag in image.tags)


def open_archive(path: Path, name: str | None = None) -> FileImage:
    """The image in a ``docker save`` file; blocking, reads headers and documents only.

    Raises InvalidValue when it is no such file, NotFound when it has no such image.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise no_file(path)
        with tarfile.open(path, "r:") as tar:
            return _Archive(path, tar).image(name)
    except tarfile.TarError as exc:
        raise InvalidValue(
            f"{path} is no docker archive: {exc}",
            hint='write one with "docker save"; unpack a compressed one first',
        ) from exc
    except (OverflowError, ValueError, MemoryError) as exc:  # tarfile believes any size
        raise InvalidValue(
            f"{path} is no docker archive: it has a file of no possible size"
        ) from exc
    except OSError as exc:
        raise NotFound(f"{path} cannot be read: {exc.strerror}") from exc


def no_file(path: Path) -> InvalidValue:
    """The error for a pipe or a device in the place of an archive."""
    return InvalidValue(
        f"{path} is neither a file nor a directory",
        hint="write the archive into a file first: its parts are read in any order",
    )


class _Archive:
    def __init__(self, path: Path, tar: tarfile.TarFile) -> None:
        self._path = path
        self._tar = tar
        self._members = {posixpath.normpath(member.name): member for member in tar}

    def image(self, name: str | None) -> FileImage:
        if MANIFEST not in self._members and "index.json" in self._members:
            raise _packed_layout(self._path)
        saved = choose_saved(read_saved(self._document(MANIFEST)), name)
        parts = read_config(self._document(saved.config))
        check_layers(parts, saved)
        pairs = zip(saved.layers, parts.diff_ids, strict=True)
        return FileImage(parts=parts, layers=tuple(self._layer(*pair) for pair in pairs))

    def _layer(self, name: str, diff_id: Digest) -> FileLayer:
        member = self._member(name)
        offset, length = member.offset_data, member.size
        with self._path.open("rb") as file:
            file.seek(offset)
            gzipped = packing_of(file.read(min(2, length))) is Compression.GZIP
        return FileLayer(
            path=self._path,
            offset=offset,
            length=length,
            diff_id=diff_id,
            origin="docker archive",
            gzipped=gzipped,
        )

    def _document(self, name: str) -> bytes:
        member = self._member(name)
        if member.size > LARGEST_DOCUMENT:
            raise InvalidValue(f"{name} in {self._path} is too large: {member.size} bytes")
        file = self._tar.extractfile(member)
        return file.read() if file else b""

    def _member(self, name: str) -> tarfile.TarInfo:
        member = self._members.get(posixpath.normpath(name))
        if member and member.issym():
            target = posixpath.join(posixpath.dirname(member.name), member.linkname)
            member = self._members.get(posixpath.normpath(target))
        if member is None or not member.isreg():
            raise InvalidValue(f"{self._path} is no docker archive: it has no file {name}")
        return member


def _packed_layout(path: Path) -> InvalidValue:
    return InvalidValue(
        f"{path} is an OCI layout in an archive, not a docker archive",
        hint=f"unpack it and push the directory: mkdir layout && tar -xf {path} -C layout && "
        "longshore push ./layout registry/name:tag",
    )


def check_layers(parts: ImageParts, saved: SavedImage) -> None:
    """Raises InvalidValue unless there is a layer for each diff ID."""
    if len(parts.diff_ids) != len(saved.layers):
        raise InvalidValue(
            f"the archive has {len(saved.layers)} layers, the configuration {len(parts.diff_ids)}"
        )
