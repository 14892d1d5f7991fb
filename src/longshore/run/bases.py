"""What is known of an image's layers beforehand, from the images it was built on."""

from __future__ import annotations

from collections.abc import Sequence

from anyio import to_thread

from longshore.engine.port import Engine
from longshore.engine.spec import ImageInfo
from longshore.errors import InvalidValue
from longshore.oci.digest import Digest
from longshore.oci.reference import ImageReference
from longshore.plan.images import base_references
from longshore.registry.bases import PublishedImage
from longshore.run.push import PushRequest


async def bases_of(engine: Engine, request: PushRequest) -> tuple[ImageInfo, ...]:
    """The image itself, then the engine's images whose layers it begins with, as far as its
    Dockerfile names them."""
    path = request.dockerfile
    if path is None:
        return (request.image,)
    try:
        text = await to_thread.run_sync(lambda: path.read_text(errors="replace"))
    except OSError:
        return (request.image,)
    found = [await engine.inspect_image(str(one)) for one in base_references(text)]
    own = request.image.diff_ids
    below = [one for one in found if one and one.diff_ids == own[: len(one.diff_ids)]]
    return (request.image, *below)


def published_at(images: Sequence[ImageInfo], registry: str) -> tuple[PublishedImage, ...]:
    """Where `registry` has the images, according to the engine."""
    found: list[PublishedImage] = []
    for text in (text for image in images for text in image.repo_digests):
        try:
            reference = ImageReference.parse(text)
        except InvalidValue:
            continue
        if reference.registry == registry and reference.digest is not None:
            found.append(PublishedImage(repository=reference.repository, digest=reference.digest))
    return tuple(dict.fromkeys(found))


def sizes_of(image: ImageInfo, bases: Sequence[ImageInfo]) -> dict[Digest, int]:
    """Bytes of each layer, as near as the engine's sums tell: what the largest base does not
    explain is shared by the other layers."""
    base = max(bases, key=lambda one: len(one.diff_ids), default=None) if bases else None
    below = len(base.diff_ids) if base and len(base.diff_ids) < len(image.diff_ids) else 0
    parts = [
        (image.diff_ids[:below], base.size if base and below else 0),
        (image.diff_ids[below:], image.size - (base.size if base and below else 0)),
    ]
    return {
        Digest.parse(diff_id): max(0, size) // len(layers)
        for layers, size in parts
        for diff_id in layers
    }
