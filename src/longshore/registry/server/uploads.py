"""Uploads: in one request, in two, in chunks, by mounting (OCI distribution spec 1.1, "Push")."""

from __future__ import annotations

import re
import uuid
from typing import Final

import anyio.to_thread
from aiohttp import hdrs, web

from longshore.errors import ContentMismatch
from longshore.oci.digest import Digest
from longshore.registry.server.exchange import Exchange, parse_digest, parse_name
from longshore.registry.server.refusals import Code, Refusal
from longshore.registry.server.storage import Upload

_CONTENT_RANGE: Final = re.compile(r"(?:bytes[ =])?(\d{1,18})-(\d{1,18})(?:/\S+)?")
_INLINE: Final = 1 << 16
"""Less than this is hashed on the spot: a thread would take longer to start."""


async def start(exchange: Exchange) -> web.StreamResponse:
    """POST: mount a blob, take one in this request, or begin a session."""
    query = exchange.request.query
    if "mount" in query and _mounted(exchange, parse_digest(query["mount"])):
        return _created(exchange, parse_digest(query["mount"]))
    if "digest" in query:
        return await _take_whole(exchange, parse_digest(query["digest"]))
    upload = exchange.storage.start_upload(exchange.repository)
    return _progress(exchange, upload, 202)


async def status(exchange: Exchange) -> web.StreamResponse:
    """GET: how much has arrived."""
    return _progress(exchange, _find(exchange), 204)


async def patch(exchange: Exchange) -> web.StreamResponse:
    """PATCH: the next chunk; with a Content-Range it has to begin where the last one ended."""
    async with _find(exchange).lock:
        upload = _find(exchange)
        await _append(exchange, upload)
        return _progress(exchange, _find(exchange), 202)


async def put(exchange: Exchange) -> web.StreamResponse:
    """PUT: the last bytes, if any, and the digest of all."""
    async with _find(exchange).lock:
        upload = _find(exchange)
        digest = parse_digest(exchange.request.query.get("digest", ""))
        await _append(exchange, upload)
        return _finish(exchange, _find(exchange), digest)


async def delete(exchange: Exchange) -> web.StreamResponse:
    """DELETE: give the session up."""
    async with _find(exchange).lock:
        exchange.storage.cancel_upload(_find(exchange))
    return web.Response(status=204)


async def _take_whole(exchange: Exchange, digest: Digest) -> web.StreamResponse:
    upload = exchange.storage.start_upload(exchange.repository)
    try:
        await _append(exchange, upload)
    except BaseException:
        exchange.storage.cancel_upload(upload)
        raise
    return _finish(exchange, upload, digest)


async def _append(exchange: Exchange, upload: Upload) -> None:
    """Write the body; what came before a broken connection stays, so that it can be resumed."""
    expected = _announced(exchange, upload)
    before = upload.size
    async for data in exchange.body(exchange.request):
        if len(data) < _INLINE:
            upload.write(data)
        else:
            await anyio.to_thread.run_sync(upload.write, data)
    if expected is not None and upload.size - before != expected:
        raise Refusal(400, Code.SIZE_INVALID, "the body is not as long as its Content-Range")


def _announced(exchange: Exchange, upload: Upload) -> int | None:
    """How many bytes Content-Range announces; refuses when they do not follow on."""
    text = exchange.request.headers.get(hdrs.CONTENT_RANGE)
    if text is None:
        return None
    match = _CONTENT_RANGE.fullmatch(text)
    if not match or int(match[2]) < int(match[1]):
        raise Refusal(400, Code.BLOB_UPLOAD_INVALID, "Content-Range cannot be read")
    if int(match[1]) != upload.size:
        raise Refusal(
            416,
            Code.RANGE_INVALID,
            f"the next byte is {upload.size}",
            headers=_position(exchange, upload),
        )
    length = int(match[2]) - int(match[1]) + 1
    if exchange.request.content_length not in (None, length):
        raise Refusal(400, Code.SIZE_INVALID, "Content-Range and Content-Length disagree")
    return length


def _finish(exchange: Exchange, upload: Upload, digest: Digest) -> web.StreamResponse:
    try:
        exchange.storage.finish_upload(upload, digest)
    except ContentMismatch as exc:
        raise Refusal(
            400,
            Code.DIGEST_INVALID,
            "provided digest did not match uploaded content",
            detail=exc.message,
        ) from exc
    return _created(exchange, digest)


def _mounted(exchange: Exchange, digest: Digest) -> bool:
    """Without `from` nothing is mounted: which repositories may be read is not known here."""
    source = exchange.request.query.get("from")
    return source is not None and exchange.storage.mount_blob(
        digest, source=parse_name(source), target=exchange.repository
    )


def _find(exchange: Exchange) -> Upload:
    try:
        upload_id = str(uuid.UUID(exchange.route.reference))
    except ValueError:
        upload_id = ""
    upload = upload_id and exchange.storage.find_upload(exchange.repository, upload_id)
    if not upload:
        raise Refusal(404, Code.BLOB_UPLOAD_UNKNOWN, "blob upload unknown to registry")
    return upload


def _created(exchange: Exchange, digest: Digest) -> web.Response:
    headers = {
        hdrs.LOCATION: f"{exchange.path}/blobs/{digest}",
        "Docker-Content-Digest": str(digest),
    }
    return web.Response(status=201, headers=headers)


def _progress(exchange: Exchange, upload: Upload, code: int) -> web.Response:
    return web.Response(status=code, headers=_position(exchange, upload))


def _position(exchange: Exchange, upload: Upload) -> dict[str, str]:
    """Where to go on. An empty upload says 0-0, like one of a single byte: so does distribution."""
    return {
        hdrs.LOCATION: f"{exchange.path}/blobs/uploads/{upload.id}",
        hdrs.RANGE: f"0-{max(upload.size - 1, 0)}",
        "Docker-Upload-UUID": upload.id,
    }
