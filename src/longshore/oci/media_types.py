"""Media types of Docker's image manifest v2.2 and of the OCI image specification."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"

DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"

OCI_FOREIGN_LAYER: Final = "application/vnd.oci.image.layer.nondistributable.v1.tar"
DOCKER_FOREIGN_LAYER: Final = "application/vnd.docker.image.rootfs.foreign.diff.tar"

MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES: Final = frozenset({OCI_INDEX, DOCKER_INDEX})
ACCEPT_MANIFESTS: Final = ", ".join((OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_INDEX))
"""For the Accept header of a manifest request: everything `parse_manifest` reads."""


class Compression(StrEnum):
    """How a layer's tar is packed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class Format(StrEnum):
    """The two families of manifests; every part of one manifest is of the same family."""

    DOCKER = "docker"
    OCI = "oci"

    @property
    def manifest_type(self) -> str:
        """Media type of an image manifest."""
        return DOCKER_MANIFEST if self is Format.DOCKER else OCI_MANIFEST

    @property
    def config_type(self) -> str:
        """Media type of an image configuration."""
        return DOCKER_CONFIG if self is Format.DOCKER else OCI_CONFIG

    def layer_type(self, compression: Compression, *, foreign: bool = False) -> str:
        """Media type of a layer (Docker writes ``.gzip`` where OCI writes ``+gzip``)."""
        if self is Format.DOCKER:
            base, joint = DOCKER_FOREIGN_LAYER if foreign else DOCKER_LAYER, "."
        else:
            base, joint = OCI_FOREIGN_LAYER if foreign else OCI_LAYER, "+"
        return base if compression is Compression.NONE else f"{base}{joint}{compression}"


def compression_of(media_type: str) -> Compression:
    """How a layer of this media type is packed; an unknown type counts as not compressed."""
    for compression in (Compression.GZIP, Compression.ZSTD):
        if media_type.endswith((f"+{compression}", f".{compression}")):
            return compression
    return Compression.NONE


def packing_of(start: bytes) -> Compression:
    """How a blob that begins so is packed (RFC 1952, 2.3.1; RFC 8878, 3.1.1)."""
    if start.startswith(b"\x1f\x8b"):
        return Compression.GZIP
    return Compression.ZSTD if start.startswith(b"\x28\xb5\x2f\xfd") else Compression.NONE


def is_oci(media_type: str) -> bool:
    """Whether a media type is of the OCI image specification's family."""
    return media_type.startswith("application/vnd.oci.")


def is_foreign(media_type: str) -> bool:
    """Whether a layer is not distributable: registries neither hold nor ask for its blob."""
    return media_type.startswith((DOCKER_FOREIGN_LAYER, OCI_FOREIGN_LAYER))
