"""What a registry really has under a tag: looked at with plain requests, not with our client."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from typing import Final

import aiohttp

from longshore.image.layer import ImageParts
from longshore.oci.digest import Digest
from longshore.oci.media_types import DOCKER_MANIFEST, OCI_MANIFEST

_ACCEPT: Final = {"Accept": f"{DOCKER_MANIFEST}, {OCI_MANIFEST}"}


class Pulled:
    """The image a tag stands for, every blob checked while it is read.

    `digest` is that of the manifest, `diff_ids` those of its layers once unpacked (gzip only).
    """

    def __init__(self, content: bytes, config: bytes, diff_ids: tuple[Digest, ...]) -> None:
        self.digest = Digest.of(content)
        self.config = config
        self.diff_ids = diff_ids

    def is_image(self, parts: ImageParts) -> bool:
        """Whether it is that image, to the last byte."""
        return (self.config, self.diff_ids) == (parts.config, parts.diff_ids)


async def pull(http: aiohttp.ClientSession, url: str, repository: str, tag: str) -> Pulled | None:
    """Pull from the registry at `url` (``http://host:port``); None when there is no such tag.

    Raises ValueError when a blob is not there or not what its digest says.
    """
    path = f"{url}/v2/{repository}"
    async with http.get(f"{path}/manifests/{tag}", headers=_ACCEPT) as answer:
        content = await answer.read()
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise ValueError(f"{answer.status} for manifest {repository}:{tag}: {content!r}")
    manifest = json.loads(content)
    config = await _blob(http, path, manifest["config"])
    diff_ids = [
        Digest.of(gzip.decompress(await _blob(http, path, layer))) for layer in manifest["layers"]
    ]
    return Pulled(content, config, tuple(diff_ids))


async def _blob(http: aiohttp.ClientSession, path: str, descriptor: Mapping[str, object]) -> bytes:
    digest = descriptor["digest"]
    async with http.get(f"{path}/blobs/{digest}") as answer:
        content = await answer.read()
    actual = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if (answer.status, len(content), actual) != (200, descriptor["size"], digest):
        raise ValueError(f"blob {digest}: {answer.status}, {len(content)} bytes of {actual}")
    return content
