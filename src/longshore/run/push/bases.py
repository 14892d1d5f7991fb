"""What is known of an image's layers beforehand, from the images it was built on."""

from __future__ import annotations

from collections.abc import Sequence

from anyio import to_thread
from msgspec.structs import replace

from longshore.config.base_images import base_references
from longshore.engine.port import Engine
from longshore.engine.spec import ImageInfo
from longshore.errors import InvalidValue
from longshore.oci.digest import Digest
from longshore.oci.platform import Platform
from longshore.oci.reference import ImageReference
from longshore.registry.bases import PublishedImage, published_layers
from longshore.run.push.image_push import ImagePush
from longshore.run.push.port import PushRequest


async def informed_by_bases(push: ImagePush, *, packed: bool = False) -> ImagePush:
    """With the repositories and blobs that may hold the layers, after the images below it.

    Of `packed` layers the blobs are known already; of others they are asked for only while nothing
    is remembered of them.
    """
    job = push.job
    published = published_at(await bases_of(push.engine, push.request), job.registry)
    repositories = tuple(dict.fromkeys(one.repository for one in published))
    options = replace(job.options, mount_from=repositories)
    if packed or not published or await job.placer.known.holds(push.diff_ids[:1]):
        return push.with_options(options)
    platform = Platform.of_machine((await push.engine.info()).architecture)
    found = await published_layers(job.placer.client, published, platform)
    return push.with_options(replace(options, candidates={**found, **options.candidates}))


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


def sizes_of(image: ImageInfo, added: Sequence[int]) -> dict[Digest, int]:
    """Bytes of each layer, from what the steps of the image's history `added`.

    Of the steps that added nothing some made an empty layer; which, the history does not tell.
    Then the empty ones are taken to be the lowest, for what is missing is rather on top.
    """
    layers = tuple(map(Digest.parse, image.diff_ids))
    sizes = certain_sizes(image, added)
    if sizes is None:
        filled = [size for size in added if size]
        sizes = [*[0] * (len(layers) - len(filled)), *filled]
    if len(sizes) != len(layers):
        sizes = [image.size // max(1, len(layers))] * len(layers)
    return dict(zip(layers, sizes, strict=True))


def certain_sizes(image: ImageInfo, added: Sequence[int]) -> Sequence[int] | None:
    """As `sizes_of`, without a guess: None where the history does not tell which layer is which."""
    for sizes in (added, [size for size in added if size]):
        if len(sizes) == len(image.diff_ids):
            return sizes
    return None
