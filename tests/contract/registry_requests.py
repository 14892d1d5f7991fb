"""What the tests of the contract of registries ask of one, and what they make of the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_manifest
from longshore.oci.media_types import Compression, Format

from .conftest import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """How a manifest was taken; `code` is the error code if it was not."""

    status: int
    headers: Mapping[str, str]
    code: str | None


async def push(subject: Subject, repository: str, content: bytes) -> Digest:
    digest = Digest.of(content)
    where = await begin(subject, repository)
    async with subject.http.put(where, params={"digest": str(digest)}, data=content) as answer:
        assert answer.status == 201
    return digest


async def begin(subject: Subject, repository: str) -> str:
    async with subject.http.post(f"/v2/{repository}/blobs/uploads/") as answer:
        assert answer.status == 202
        assert answer.headers["Docker-Upload-UUID"]
        return answer.headers["Location"]


async def push_image(subject: Subject, repository: str, tag: str, fmt: Format) -> Manifest:
    config, layer = b'{"os":"linux"}', f"layer of {tag}".encode()
    await push(subject, repository, config)
    await push(subject, repository, layer)
    manifest = image_manifest(
        Descriptor.of(config, fmt.config_type),
        [Descriptor.of(layer, fmt.layer_type(Compression.GZIP))],
        fmt=fmt,
    )
    answer = await put(subject, repository, tag, manifest.content, manifest.media_type)
    assert answer.status == 201, answer.code
    return manifest


async def put(
    subject: Subject, repository: str, reference: str, content: bytes, media_type: str
) -> Put:
    async with subject.http.put(
        f"/v2/{repository}/manifests/{reference}",
        data=content,
        headers={"Content-Type": media_type},
    ) as answer:
        code = None if answer.status == 201 else await code_of(answer)
        return Put(status=answer.status, headers=answer.headers, code=code)


async def code_of(answer: aiohttp.ClientResponse) -> str:
    document: dict[str, Any] = json.loads(await answer.read())
    code: str = document["errors"][0]["code"]
    return code
