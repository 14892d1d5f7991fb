"""What a push did, for the line at its end and for ``--metadata-file``; pure."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest
from longshore.oci.reference import ImageReference
from longshore.registry.telling import megabytes
from longshore.registry.uploads import Delivery

VERSION = 1


class Receipt(Struct, frozen=True, kw_only=True):
    """One image in one repository. `image` is what was pushed, `targets` its names there.

    `route` is where the layers came from, in words; `deliveries` are () when nothing was sent
    (then `manifest` was there) or when the engine pushed (then `manifest` is None).
    """

    image: str
    targets: tuple[ImageReference, ...]
    digest: str
    manifest: Manifest | None
    deliveries: tuple[Delivery, ...] = ()
    diff_ids: tuple[str, ...] = ()
    route: str
    seconds: float
    early: bool = False
    """Layers were sent before, while other steps ran."""

    def without(self, told: Container[Digest]) -> Receipt:
        """The same, where the blobs `told` were brought into the repository by another push."""
        return replace(
            self,
            deliveries=tuple(
                replace(one, route="exists", source="", resumed=()) if one.digest in told else one
                for one in self.deliveries
            ),
        )

    @property
    def brought(self) -> frozenset[Digest]:
        """The blobs that this push brought into the repository."""
        return frozenset(one.digest for one in self.deliveries if one.route != "exists")

    @property
    def summary(self) -> str:
        """``(2 layers sent, 3 existing, 12 MB in 0.8 s)``."""
        if self.manifest is None:
            return f"(by the {self.route} in {self.seconds:.1f} s)"
        layers = len(self.manifest.layers)
        sent = _distinct(self.deliveries, "sent")
        count = sum(1 for one in self.deliveries if one.route == "sent")
        mounted = sum(1 for one in self.deliveries if one.route == "mounted")
        words = [f"{count} {'layer' if count == 1 else 'layers'} sent"]
        words += [f"{mounted} mounted"] if mounted else []
        elsewhere = sum(1 for one in self.manifest.layers if one.is_elsewhere)
        words += [f"{layers - count - mounted - elsewhere} existing"]
        words += [f"{elsewhere} elsewhere"] if elsewhere else []
        amount = megabytes(sum(one.size for one in sent))
        amount += " early, the rest" if self.early and sent else ""
        return f"({', '.join(words)}, {amount} in {self.seconds:.1f} s)"

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "image": self.image,
            "targets": [str(target) for target in self.targets],
            "repository": self.targets[0].name,
            "tags": [target.tag_or_latest for target in self.targets],
            "digest": self.digest,
            "media_type": self.manifest.media_type if self.manifest else None,
            "source": self.route,
            "seconds": round(self.seconds, 3),
            "layers": list(self._layers()),
        }

    def _layers(self) -> Iterable[dict[str, object]]:
        for place, layer in enumerate(self.manifest.layers if self.manifest else ()):
            delivery = self.deliveries[place] if place < len(self.deliveries) else None
            yield {
                "diff_id": self.diff_ids[place] if place < len(self.diff_ids) else None,
                "digest": str(layer.digest),
                "size": layer.size,
                "media_type": layer.media_type,
                "route": _route(layer, delivery),
                "mounted_from": delivery.source or None if delivery else None,
                "resumed_at": list(delivery.resumed) if delivery else [],
            }


def _route(layer: Descriptor, delivery: Delivery | None) -> str:
    if layer.is_elsewhere:
        return "elsewhere"
    return delivery.route if delivery else "exists"


def _distinct(deliveries: Iterable[Delivery], route: str) -> tuple[Delivery, ...]:
    """A layer that occurs twice was sent once."""
    return tuple({one.digest: one for one in deliveries if one.route == route}.values())


def metadata(receipts: Sequence[Receipt]) -> bytes:
    """The content of a metadata file."""
    document = {"version": VERSION, "pushes": [receipt.document() for receipt in receipts]}
    return json.dumps(document, indent=2).encode() + b"\n"
