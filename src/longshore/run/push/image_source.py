"""An image of the engine as something the pusher can read: where its store lets us."""

from __future__ import annotations

from anyio import to_thread

from longshore.engine.spec import EngineInfo, ImageInfo
from longshore.errors import NotFound
from longshore.image.layer import StoredImage
from longshore.image.overlay2 import open_overlay2
from longshore.image.published import published_blobs
from longshore.oci.digest import Digest
from longshore.registry.placed import Candidate, Candidates


async def open_stored(info: EngineInfo, image: ImageInfo) -> StoredImage:
    """The image in the engine's own store.

    Raises NotFound, in words that explain, when that store cannot be read.
    """
    return await to_thread.run_sync(_open_stored, info, Digest.parse(image.id))


def _open_stored(info: EngineInfo, image_id: Digest) -> StoredImage:
    if not info.local or info.data_root is None:
        raise NotFound("it is on another machine")
    if info.containerd_store:
        from longshore.image.containerd import open_containerd
        from longshore.oci.platform import Platform

        return open_containerd(info.data_root, image_id, Platform.of_machine(info.architecture))
    match info.storage_driver:
        case "overlay2":
            return open_overlay2(info.data_root, image_id)
        case "overlay":  # Podman's; Docker's of that name is gone
            from longshore.image.containers_storage import open_containers_storage

            return open_containers_storage(info.data_root, image_id)
        case driver:
            raise NotFound(f"its storage driver is {driver}")


def diff_ids_of(image: ImageInfo) -> tuple[Digest, ...]:
    """The image's layers, from the base up."""
    return tuple(Digest.parse(text) for text in image.diff_ids)


async def noted_blobs(info: EngineInfo, image: ImageInfo, registry: str) -> Candidates:
    """The blobs under which an engine whose store is overlay2's, and was read, itself saw the
    image's layers at `registry`."""
    root = info.data_root
    assert root is not None

    def read() -> Candidates:
        found = {}
        for diff_id in dict.fromkeys(diff_ids_of(image)):
            by_digest: dict[Digest, list[str]] = {}
            for blob in published_blobs(root, diff_id):
                if blob.registry == registry:
                    by_digest.setdefault(blob.digest, []).append(blob.repository)
            found[diff_id] = tuple(
                Candidate(digest=digest, compression=None, repositories=tuple(repositories))
                for digest, repositories in by_digest.items()
            )
        return found

    return await to_thread.run_sync(read)
