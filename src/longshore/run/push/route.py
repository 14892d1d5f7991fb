"""The way of one image of the engine into one repository, chosen by what is known of it.

Where the engine's store can be read its layers are; everything else is in `without_store.py`, which
is imported only there, as what explains a choice is: most pushes find nothing changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from longshore.errors import NotFound
from longshore.image.cores import usable_cores
from longshore.image.layer import StoredImage
from longshore.registry.push import identity_of, place_layers
from longshore.registry.receipt import Receipt
from longshore.run.push.image_push import Way
from longshore.run.push.image_source import noted_blobs, open_stored
from longshore.run.push.pushes import push_stored
from longshore.run.push.settings import PusherChoice

if TYPE_CHECKING:
    from longshore.run.push.without_store import Unread


async def push(way: Way) -> Receipt:
    """By the cheapest way; nothing is read when the registry has the image."""
    job = way.job
    if way.settings.pusher is PusherChoice.ENGINE:
        return await way.by_engine.push()
    if await way.is_on_the_engines_machine():
        way.explain(f"letting the engine push: {job.registry} is on its machine")
        return await way.by_engine.push()
    there = await way.same_image(job.tags)
    if there is not None:
        return job.receipt(there, way.request.image.diff_ids, "registry")
    try:
        stored = await _stored(way)
    except NotFound as reason:
        return await (await _unread(way, reason)).push()
    way = await _informed(way, stored)
    await _explain(way, stored)
    try:
        return await push_stored(way.job, stored)
    except NotFound as reason:
        return await (await _unread(way, reason)).push()


async def prepare(way: Way) -> bool:
    """The layers alone, as far as that is a gain; whether they are there now."""
    alone = way.settings.pusher is PusherChoice.ENGINE
    if alone or await way.is_on_the_engines_machine():
        return False
    if await way.same_image(way.job.tags[:1]) is not None:
        return True
    try:
        stored = await _stored(way)
    except NotFound as reason:
        return await (await _unread(way, reason)).prepare()
    way = await _informed(way, stored)
    job = way.job
    try:
        await place_layers(job.placer, job.repository, stored, job.options)
    except NotFound as reason:
        return await (await _unread(way, reason)).prepare()
    return True


async def _stored(way: Way) -> StoredImage:
    """Raises NotFound, in words, where the engine's store cannot be read."""
    return await open_stored(await way.engine.info(), way.request.image)


async def _unread(way: Way, reason: NotFound) -> Unread:
    """The same image, of whose store a part or all cannot be read: rootless engines keep files of
    other users there. What of it was placed stays placed."""
    from longshore.run.push.bases import informed_by_bases
    from longshore.run.push.without_store import Unread

    way = way.with_options(replace(way.job.options, differs=True))
    return Unread(way=await informed_by_bases(way), refusal=reason.message)


async def _informed(way: Way, stored: StoredImage) -> Way:
    """With the blobs that hold the layers, as far as the engine has noted them."""
    info = await way.engine.info()
    # A store of containerd's may know the image by another digest than the engine has told.
    asked = identity_of(stored, way.job.options) == way.identity
    way = way.with_options(replace(way.job.options, differs=asked))
    if info.containerd_store or info.storage_driver != "overlay2":
        from longshore.run.push.bases import informed_by_bases

        return await informed_by_bases(way, packed=info.containerd_store)
    noted = await noted_blobs(info, way.request.image, way.job.registry)
    return way.with_options(replace(way.job.options, candidates=noted))


async def _explain(way: Way, stored: StoredImage) -> None:
    if not way.settings.explain:
        return
    from longshore.image.choose import Situation, choose

    sizes = tuple(layer.size or 0 for layer in stored.layers)
    situation = Situation(
        layer_sizes=sizes,
        missing=sizes,
        cores=usable_cores(),
        packed_store=(await way.engine.info()).containerd_store,
    )
    way.explain(choose(situation).reason)
