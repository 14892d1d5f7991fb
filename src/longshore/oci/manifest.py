"""Image manifests and indexes, which keep the bytes they were read from.

A manifest's name is the digest of its bytes, so nothing here ever writes a manifest again that
was read: `content` is what came and what goes out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from longshore.errors import InvalidValue
from longshore.oci import media_types
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.fields import Fields
from longshore.oci.media_types import Format


class Document(Struct, frozen=True, kw_only=True):
    """What manifest and index have in common; `digest` is that of `content`."""

    media_type: str
    content: bytes
    digest: Digest
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def descriptor(self) -> Descriptor:
        """What an index or a referrers list says of this document."""
        return Descriptor(media_type=self.media_type, digest=self.digest, size=len(self.content))


class Manifest(Document, frozen=True, kw_only=True):
    """One image (or artifact) for one platform; `layers` from the base up."""

    config: Descriptor
    layers: tuple[Descriptor, ...]

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The blobs a registry must hold: configuration first, without foreign layers."""
        held = (layer for layer in self.layers if not media_types.is_foreign(layer.media_type))
        return (self.config, *held)


class Index(Document, frozen=True, kw_only=True):
    """A list of manifests, usually one a platform."""

    manifests: tuple[Descriptor, ...]


def parse_manifest(content: bytes, media_type: str | None = None) -> Manifest | Index:
    """Read a manifest or index; `media_type` is the Content-Type it came with.

    Raises InvalidValue when it is neither, when it is Docker's schema 1, or when its own
    ``mediaType`` is another than the announced one (OCI image spec: they must be the same).
    """
    fields = Fields.load(content, "manifest")
    kind = _media_type(fields, (media_type or "").partition(";")[0].strip())
    if kind in media_types.INDEXES:
        return _read_index(fields, kind, content)
    return _read_manifest(fields, kind, content)


def image_manifest(
    config: Descriptor, layers: Sequence[Descriptor], *, fmt: Format = Format.DOCKER
) -> Manifest:
    """The manifest of an image, as canonical JSON: the same parts always give the same bytes."""
    document = {
        "schemaVersion": 2,
        "mediaType": fmt.manifest_type,
        "config": config.document(),
        "layers": [layer.document() for layer in layers],
    }
    content = _canonical(document)
    return Manifest(
        media_type=fmt.manifest_type,
        content=content,
        digest=Digest.of(content),
        config=config,
        layers=tuple(layers),
    )


def image_index(manifests: Sequence[Descriptor]) -> Index:
    """OCI's index of several manifests, as canonical JSON."""
    content = _canonical(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_INDEX,
            "manifests": [manifest.document() for manifest in manifests],
        }
    )
    return Index(
        media_type=media_types.OCI_INDEX,
        content=content,
        digest=Digest.of(content),
        manifests=tuple(manifests),
    )


def _canonical(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _media_type(fields: Fields, announced: str) -> str:
    if not fields.has("schemaVersion") or fields.size("schemaVersion") != 2:
        raise InvalidValue(
            "the manifest is not of schema version 2",
            hint="build or push the image again with a client younger than 2017",
        )
    own = fields.optional_text("mediaType")
    if own and announced and own != announced:
        raise InvalidValue(f'the manifest says it is "{own}" but came as "{announced}"')
    # OCI allows leaving mediaType out; then only the content tells.
    guess = media_types.OCI_INDEX if fields.has("manifests") else media_types.OCI_MANIFEST
    kind = own or announced or guess
    if kind not in media_types.MANIFESTS | media_types.INDEXES:
        raise InvalidValue(f'"{kind[:100]}" is not the media type of a manifest we know')
    return kind


def _read_index(fields: Fields, kind: str, content: bytes) -> Index:
    return Index(
        media_type=kind,
        content=content,
        digest=Digest.of(content),
        subject=_subject(fields),
        artifact_type=fields.optional_text("artifactType"),
        annotations=fields.pairs("annotations"),
        manifests=fields.objects("manifests", Descriptor.read),
    )


def _read_manifest(fields: Fields, kind: str, content: bytes) -> Manifest:
    return Manifest(
        media_type=kind,
        content=content,
        digest=Digest.of(content),
        subject=_subject(fields),
        artifact_type=fields.optional_text("artifactType"),
        annotations=fields.pairs("annotations"),
        config=Descriptor.read(fields.child("config")),
        layers=fields.objects("layers", Descriptor.read),
    )


def _subject(fields: Fields) -> Descriptor | None:
    return Descriptor.read(fields.child("subject")) if fields.has("subject") else None
