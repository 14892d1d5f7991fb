"""Manifests by tag and digest (OCI distribution spec 1.1, "Pulling manifests", "Push")."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from longshore.errors import InvalidValue
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Index, Manifest, parse_manifest
from longshore.oci.reference import check_tag
from longshore.registry.server.exchange import Exchange, parse_digest
from longshore.registry.server.refusals import Code, Refusal
from longshore.registry.server.storage import StoredManifest

_MAX_MANIFEST: Final = 4 << 20
"""Bytes; the specification asks for at least 4 MiB, and registries stop there."""


async def get(exchange: Exchange) -> web.StreamResponse:
    """GET and HEAD: the bytes that were put, under the type they were put with."""
    digest = _resolve(exchange)
    stored = exchange.storage.manifest(exchange.repository, digest)
    if stored is None:
        raise _unknown(exchange)
    _check_accept(exchange.request, stored.media_type)
    headers = {
        hdrs.CONTENT_TYPE: stored.media_type,
        hdrs.ETAG: f'"{digest}"',
        "Docker-Content-Digest": str(digest),
    }
    return web.Response(body=stored.content, headers=headers)


async def put(exchange: Exchange) -> web.StreamResponse:
    """PUT: keep a manifest whose parts are all here already."""
    tag, named = _target(exchange)
    content = await _read(exchange)
    document = _parse(exchange.request, content)
    if named and named != document.digest:
        raise Refusal(400, Code.DIGEST_INVALID, "provided digest did not match uploaded content")
    _check_parts(exchange, document)
    stored = StoredManifest(content=content, media_type=document.media_type)
    exchange.storage.put_manifest(exchange.repository, stored, tag=tag)
    headers = {
        hdrs.LOCATION: f"{exchange.path}/manifests/{document.digest}",
        "Docker-Content-Digest": str(document.digest),
    }
    if document.subject:
        headers["OCI-Subject"] = str(document.subject.digest)
    return web.Response(status=201, headers=headers)


async def delete(exchange: Exchange) -> web.StreamResponse:
    """DELETE: a tag alone, or a manifest with its tags."""
    tag, digest = _target(exchange)
    storage, repository = exchange.storage, exchange.repository
    gone = digest and storage.delete_manifest(repository, digest)
    if not gone and not (tag and storage.delete_tag(repository, tag)):
        raise _unknown(exchange)
    return web.Response(status=202)


def _target(exchange: Exchange) -> tuple[str | None, Digest | None]:
    """The last part of the path as (tag, None) or (None, digest)."""
    text = exchange.route.reference
    if ":" in text:
        return None, parse_digest(text)
    try:
        return check_tag(text), None
    except InvalidValue as exc:
        raise Refusal(400, Code.TAG_INVALID, "invalid tag", detail=exc.message) from exc


def _resolve(exchange: Exchange) -> Digest:
    tag, digest = _target(exchange)
    found = digest or (tag and exchange.storage.tagged(exchange.repository, tag))
    if not found:
        raise _unknown(exchange)
    return found


async def _read(exchange: Exchange) -> bytes:
    content = bytearray()
    async for data in exchange.body(exchange.request):
        content += data
        if len(content) > _MAX_MANIFEST:
            raise Refusal(413, Code.SIZE_INVALID, "a manifest has at most 4 MiB")
    return bytes(content)


def _parse(request: web.Request, content: bytes) -> Manifest | Index:
    try:
        return parse_manifest(content, request.headers.get(hdrs.CONTENT_TYPE))
    except InvalidValue as exc:
        raise Refusal(400, Code.MANIFEST_INVALID, "manifest invalid", detail=exc.message) from exc


def _check_parts(exchange: Exchange, document: Manifest | Index) -> None:
    parts = document.manifests if isinstance(document, Index) else document.blobs
    for part in parts:
        size = _held(exchange, part)
        if size is None:
            raise Refusal(
                400,
                Code.MANIFEST_BLOB_UNKNOWN,
                "blob unknown to registry",
                detail={"digest": str(part.digest)},
            )
        if size != part.size:
            raise Refusal(
                400, Code.SIZE_INVALID, f"{part.digest} has {size} bytes, not {part.size}"
            )


def _held(exchange: Exchange, part: Descriptor) -> int | None:
    """The size of a part, which an index may name as manifest or as blob."""
    manifest = exchange.storage.manifest(exchange.repository, part.digest)
    if manifest:
        return len(manifest.content)
    return exchange.storage.blob_size(exchange.repository, part.digest)


def _check_accept(request: web.Request, media_type: str) -> None:
    """A client that cannot read the stored type is told so, not given something else."""
    accepted = {
        item.partition(";")[0].strip().lower()
        for header in request.headers.getall(hdrs.ACCEPT, [])
        for item in header.split(",")
    }
    if accepted and not accepted & {media_type, "*/*", "application/*"}:
        raise Refusal(
            404, Code.MANIFEST_UNKNOWN, f"the manifest is {media_type}, which Accept leaves out"
        )


def _unknown(exchange: Exchange) -> Refusal:
    return Refusal(
        404,
        Code.MANIFEST_UNKNOWN,
        "manifest unknown",
        detail={"name": exchange.repository, "reference": exchange.route.reference},
    )
