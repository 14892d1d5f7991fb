"""An image that flows by once into a repository: layers are sent as they arrive.

The configuration comes last, so the manifest is made when everything has passed. What breaks a
layer beyond what its upload can mend costs another pass, in which nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from longshore.errors import LongshoreError
from longshore.image.export import ExportedImage, incomplete
from longshore.image.layer import Blocks, LayerSource
from longshore.image.packing import check_diff_id
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.registry.placed import Passed, Placed, key_of
from longshore.registry.placing import Placer
from longshore.registry.publish import PushedImage, Release, publish, send_config
from longshore.registry.push import PushOptions, again_if_lost, as_wanted, same_image
from longshore.registry.side_by_side import side_by_side

OpenExport = Callable[[], AbstractAsyncContextManager[ExportedImage]]
"""Begins a pass of the image."""

_PASSES: Final = 3
_AT_ONCE: Final = 8


class PassedBy(LongshoreError):
    """A layer of a stream was wanted again after it had gone by; another pass will have it."""


class _Passing(Struct, kw_only=True):
    """An arriving layer that says so when it is opened again."""

    layer: LayerSource
    name: str
    opened: bool = False

    @property
    def diff_id(self) -> Digest | None:
        return self.layer.diff_id

    @property
    def size(self) -> int | None:
        return self.layer.size

    @property
    def origin(self) -> str:
        return self.layer.origin

    @property
    def packed(self) -> Descriptor | None:
        return self.layer.packed

    def open(self) -> Blocks:
        if self.opened:
            raise PassedBy(f"{self.name} has to be read again, and the image export has gone on")
        self.opened = True
        return self.layer.open()


class ImageStream(Struct, frozen=True, kw_only=True):
    """An image that can be exported. `identity` is what the engine calls it, the digest of its
    configuration or manifest; `export` begins a pass of it."""

    identity: Digest
    diff_ids: tuple[Digest, ...]
    export: OpenExport


async def push_stream(
    placer: Placer,
    repository: str,
    tags: Sequence[str],
    image: ImageStream,
    options: PushOptions,
) -> PushedImage:
    """As `push.push`, for an image whose layers pass once.

    Raises PassedBy when a layer could not be had in several passes.
    """
    there = await same_image(placer.client, repository, tags, image.identity, options)
    if there is not None:
        return there

    async def attempt() -> PushedImage:
        passed = await place_stream(placer, repository, image, options)
        await send_config(placer.client, repository, passed.parts)
        release = Release(parts=passed.parts, layers=passed.layers, on_tags=options.on_tags)
        fmt, verified = options.format, options.verify
        return await publish(placer.client, repository, tags, release, fmt, verified)

    return await again_if_lost(attempt, placer, repository)


async def find_layers(
    placer: Placer, repository: str, diff_ids: Sequence[Digest], options: PushOptions
) -> dict[Digest, Placed]:
    """The layers that need not be read, by diff ID."""

    async def one(diff_id: Digest) -> Placed | None:
        name = _name(diff_id, diff_ids)
        return await placer.find(repository, diff_id, options.of(diff_id), name)

    distinct = tuple(dict.fromkeys(diff_ids))
    found = await side_by_side(one, distinct, at_once=_AT_ONCE)
    return {key: placed for key, placed in zip(distinct, found, strict=True) if placed}


async def place_stream(
    placer: Placer, repository: str, image: ImageStream, options: PushOptions
) -> Passed:
    """All layers into the repository; also what the image is, as a stream tells at its end.

    No pass is needed for an image that has streamed by before, as long as its layers are found.
    """
    passed = await _passed_before(placer, repository, image.identity)
    if passed is None:
        await find_layers(placer, repository, image.diff_ids, options)
        passed = await _passes(placer, repository, image, options)
    placer.passed[image.identity] = passed
    return passed


async def _passed_before(placer: Placer, repository: str, identity: Digest) -> Passed | None:
    before = placer.passed.get(identity)
    if before is None:
        return None

    async def one(diff_id: Digest) -> Placed | None:
        placed = layers[diff_id]
        name = _name(diff_id, before.parts.diff_ids)
        return await placer.also(repository, diff_id, placed, name)

    layers = dict(zip(before.parts.diff_ids, before.layers, strict=True))
    found = await side_by_side(one, tuple(layers), at_once=_AT_ONCE)
    if None in found:
        return None
    now = {key: placed for key, placed in zip(layers, found, strict=True) if placed}
    return replace(before, layers=tuple(now[diff_id] for diff_id in before.parts.diff_ids))


async def _passes(
    placer: Placer, repository: str, image: ImageStream, options: PushOptions
) -> Passed:
    for left in reversed(range(_PASSES)):
        try:
            return await _pass(placer, repository, image, options)
        except PassedBy:
            if not left:
                raise
    raise AssertionError("the last pass returns or raises")


async def _pass(
    placer: Placer, repository: str, image: ImageStream, options: PushOptions
) -> Passed:
    placed: dict[Digest, Placed] = {}
    async with image.export() as stream:
        async for arriving in stream.arrivals():
            name = _name(arriving.diff_id, image.diff_ids)
            layer = as_wanted(_Passing(layer=arriving, name=name), options, options.format)
            key = key_of(layer)
            placed[key] = await placer.place(repository, layer, options.of(key), name)
        packed = {diff_id: digest for digest, diff_id in stream.diff_id_of_packed.items()}
        try:
            layers = tuple(
                placed[diff_id] if diff_id in placed else placed[packed[diff_id]]
                for diff_id in stream.parts.diff_ids
            )
        except KeyError as missing:
            raise incomplete(f"layer {missing.args[0]}") from missing
        for diff_id, one in zip(stream.parts.diff_ids, layers, strict=True):
            check_diff_id(one.content or diff_id, diff_id, "image export")
        return Passed(parts=stream.parts, layers=layers)


def _name(diff_id: Digest | None, diff_ids: Sequence[Digest]) -> str:
    if diff_id in diff_ids:
        return f"layer {diff_ids.index(diff_id) + 1} of {len(diff_ids)}"
    return "a layer"
