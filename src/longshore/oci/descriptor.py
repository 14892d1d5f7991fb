"""Descriptors: how one piece of content names another (OCI image spec, ``descriptor.md``)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from longshore.oci.digest import Digest
from longshore.oci.fields import Fields
from longshore.oci.media_types import is_foreign
from longshore.oci.platform import Platform


class Descriptor(Struct, frozen=True, kw_only=True):
    """What to fetch (`digest`), how long it is (`size`, bytes), and what it is (`media_type`)."""

    media_type: str
    digest: Digest
    size: int
    urls: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Platform | None = None
    artifact_type: str = ""

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is a layer not for distribution that says where it is to be had: nobody is
        to upload such a one (OCI image spec, ``layer.md``), and registries do not ask for it."""
        return bool(self.urls) and is_foreign(self.media_type)

    def __hash__(self) -> int:
        return hash(self.digest)

    @classmethod
    def of(cls, content: bytes, media_type: str) -> Descriptor:
        """The descriptor of bytes in hand."""
        return cls(media_type=media_type, digest=Digest.of(content), size=len(content))

    @classmethod
    def read(cls, fields: Fields) -> Descriptor:
        """From a JSON object; raises InvalidValue."""
        return cls(
            media_type=fields.text("mediaType"),
            digest=Digest.parse(fields.text("digest")),
            size=fields.size("size"),
            urls=fields.texts("urls"),
            annotations=fields.pairs("annotations"),
            platform=Platform.read(fields.child("platform")) if fields.has("platform") else None,
            artifact_type=fields.optional_text("artifactType"),
        )

    def document(self) -> dict[str, object]:
        """As JSON values, in the order the specification lists them; empty ones left off."""
        document: dict[str, object] = {
            "mediaType": self.media_type,
            "size": self.size,
            "digest": str(self.digest),
        }
        if self.urls:
            document["urls"] = list(self.urls)
        if self.annotations:
            document["annotations"] = dict(sorted(self.annotations.items()))
        if self.platform:
            document["platform"] = self.platform.document()
        if self.artifact_type:
            document["artifactType"] = self.artifact_type
        return document
