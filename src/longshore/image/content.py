"""Directories of blobs named by their digest, as OCI layouts and containerd keep them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

from longshore.errors import ContentMismatch, InvalidValue, NotFound
from longshore.image.config import read_config
from longshore.image.files import Choice, FileImage, FileLayer
from longshore.image.layer import LayerSource
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, parse_manifest
from longshore.oci.media_types import OCI_CONFIG, Format
from longshore.oci.platform import Platform

_LARGEST_DOCUMENT: Final = 16 << 20
_DEEPEST: Final = 4


class BlobDirectory(Struct, frozen=True, kw_only=True):
    """``<directory>/<64 hex>``; `origin` is what its layers say they come from."""

    directory: Path
    origin: str

    def document(self, digest: Digest) -> bytes:
        """A small blob, verified. Raises NotFound, or ContentMismatch when it is damaged."""
        path = self.directory / digest.hex
        try:
            content = document_in(path, _LARGEST_DOCUMENT + 1)
        except OSError as exc:
            raise NotFound(f"{self.origin}: blob {digest} is not there: {exc.strerror}") from exc
        if Digest.of(content) != digest:
            raise ContentMismatch(f"{self.origin}: {path} does not have the digest in its name")
        return content

    def layer(self, descriptor: Descriptor, diff_id: Digest) -> LayerSource:
        """The layer in a blob, which is not read yet; NotFound when it is missing here."""
        path = self.directory / descriptor.digest.hex
        if not descriptor.is_elsewhere and not path.is_file():
            raise NotFound(f"{self.origin}: layer {descriptor.digest} is not there")
        return FileLayer(
            path=path,
            length=descriptor.size,
            origin=self.origin,
            diff_id=diff_id,
            packed=descriptor,
        )

    def image(self, digest: Digest, media_type: str | None, platform: Platform) -> FileImage:
        """The image whose manifest, or index with a manifest for `platform`, is this blob.

        Raises InvalidValue when it is neither, NotFound when a part is missing.
        """
        manifest, choice = self._manifest(digest, media_type, platform)
        fmt = Format.OCI if manifest.config.media_type == OCI_CONFIG else Format.DOCKER
        parts = read_config(self.document(manifest.config.digest), fmt)
        if len(parts.diff_ids) != len(manifest.layers):
            raise InvalidValue(f"manifest {digest} and its configuration differ in their layers")
        pairs = zip(manifest.layers, parts.diff_ids, strict=True)
        layers = tuple(self.layer(*pair) for pair in pairs)
        return FileImage(parts=parts, layers=layers, manifest=manifest, choice=choice)

    def _manifest(
        self, digest: Digest, media_type: str | None, platform: Platform
    ) -> tuple[Manifest, Choice | None]:
        choice = None
        for _ in range(_DEEPEST):
            document = parse_manifest(self.document(digest), media_type)
            if isinstance(document, Manifest):
                return document, choice
            chosen = choose_manifest(document.manifests, platform)
            choice = choice_of(chosen, document.manifests)
            digest, media_type = chosen.digest, chosen.media_type
        raise InvalidValue(f"{self.origin}: indexes within indexes, and no image")


def document_in(path: Path, most: int) -> bytes:
    """The first `most` bytes of a file.

    Raises OSError, and InvalidValue for what is none: a pipe would be waited for without end.
    """
    if path.exists() and not path.is_file():
        raise InvalidValue(f"{path} is no file")
    with path.open("rb") as file:
        return file.read(most)


def choose_manifest(manifests: Iterable[Descriptor], platform: Platform) -> Descriptor:
    """The manifest for `platform`, or the only one there is; raises NotFound.

    Attestations (platform ``unknown/unknown``, BuildKit) are no images.
    """
    fitting = images_for(manifests, platform)
    if len(fitting) == 1 or (fitting and _fits(fitting[0], platform)):
        return fitting[0]
    offered = ", ".join(map(_called, fitting)) or "none"
    raise NotFound(f"no image for {platform} among those there are: {offered}")


def images_for(manifests: Iterable[Descriptor], platform: Platform) -> list[Descriptor]:
    """The images for `platform`, each once; all where none says that it is."""
    images = _images(manifests)
    return [m for m in images if _fits(m, platform)] or images


def choice_of(chosen: Descriptor, manifests: Iterable[Descriptor]) -> Choice | None:
    """Which platforms are left out with `chosen`; None when there is no other."""
    taken = _called(chosen)
    left = dict.fromkeys(map(_called, _images(manifests)))
    left.pop(taken, None)
    return Choice(taken=taken, left=tuple(left)) if left else None


def _images(manifests: Iterable[Descriptor]) -> list[Descriptor]:
    images: dict[Digest, Descriptor] = {}
    for manifest in manifests:
        if manifest.platform is None or manifest.platform.os != "unknown":
            images.setdefault(manifest.digest, manifest)
    return list(images.values())


def _called(manifest: Descriptor) -> str:
    return str(manifest.platform or manifest.digest)


def _fits(manifest: Descriptor, platform: Platform) -> bool:
    own = manifest.platform
    return own is not None and (own.os, own.architecture) == (platform.os, platform.architecture)
