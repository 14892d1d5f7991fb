"""The route of one image of the engine into one repository, chosen by what is known of it.

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
from longshore.run.push.image_push import ImagePush
from longshore.run.push.image_source import noted_blobs, open_stored
from longshore.run.push.pushes import push_stored
from longshore.run.push.settings import PusherChoice

if TYPE_CHECKING:
    from longshore.run.push.without_store import PushWithoutStore


async def push_image(push: ImagePush) -> Receipt:
    """By the cheapest route; nothing is read when the registry has the image."""
    job = push.job
    if push.settings.pusher is PusherChoice.ENGINE:
        return await push.by_engine.push()
    if await push.is_on_the_engines_machine():
        push.explain(f"letting the engine push: {job.registry} is on its machine")
        return await push.by_engine.push()
    there = await push.same_image(job.tags)
    if there is not None:
        return job.receipt(there, push.request.image.diff_ids, "registry")
    try:
        stored = await _stored(push)
    except NotFound as reason:
        return await (await _without_store(push, reason)).push()
    push = await _informed(push, stored)
    await _explain(push, stored)
    try:
        return await push_stored(push.job, stored)
    except NotFound as reason:
        return await (await _without_store(push, reason)).push()


async def prepare_image(push: ImagePush) -> bool:
    """The layers alone, as far as that is a gain; whether they are there now."""
    alone = push.settings.pusher is PusherChoice.ENGINE
    if alone or await push.is_on_the_engines_machine():
        return False
    if await push.same_image(push.job.tags[:1]) is not None:
        return True
    try:
        stored = await _stored(push)
    except NotFound as reason:
        return await (await _without_store(push, reason)).prepare()
    push = await _informed(push, stored)
    job = push.job
    try:
        await place_layers(job.placer, job.repository, stored, job.options)
    except NotFound as reason:
        return await (await _without_store(push, reason)).prepare()
    return True


async def _stored(push: ImagePush) -> StoredImage:
    """Raises NotFound, in words, where the engine's store cannot be read."""
    return await open_stored(await push.engine.info(), push.request.image)


async def _without_store(push: ImagePush, reason: NotFound) -> PushWithoutStore:
    """The same image, of whose store a part or all cannot be read: rootless engines keep files of
    other users there. What of it was placed stays placed."""
    from longshore.run.push.bases import informed_by_bases
    from longshore.run.push.without_store import PushWithoutStore

    push = push.with_options(replace(push.job.options, differs=True))
    return PushWithoutStore(image_push=await informed_by_bases(push), refusal=reason.message)


async def _informed(push: ImagePush, stored: StoredImage) -> ImagePush:
    """With the blobs that hold the layers, as far as the engine has noted them."""
    info = await push.engine.info()
    # A store of containerd's may know the image by another digest than the engine has told.
    asked = identity_of(stored, push.job.options) == push.identity
    push = push.with_options(replace(push.job.options, differs=asked))
    if info.containerd_store or info.storage_driver != "overlay2":
        from longshore.run.push.bases import informed_by_bases

        return await informed_by_bases(push, packed=info.containerd_store)
    noted = await noted_blobs(info, push.request.image, push.job.registry)
    return push.with_options(replace(push.job.options, candidates=noted))


async def _explain(push: ImagePush, stored: StoredImage) -> None:
    if not push.settings.explain:
        return
    from longshore.image.choose import Situation, choose

    sizes = tuple(layer.size or 0 for layer in stored.layers)
    situation = Situation(
        layer_sizes=sizes,
        missing=sizes,
        cores=usable_cores(),
        packed_store=(await push.engine.info()).containerd_store,
    )
    push.explain(choose(situation).reason)
