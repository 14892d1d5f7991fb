"""Blobs: HEAD, GET with Range, DELETE (OCI distribution spec 1.1, "Pulling blobs")."""

from __future__ import annotations

from aiohttp import hdrs, web

from longshore.registry.server.exchange import BlobAnswer, Exchange
from longshore.registry.server.refusals import Code, Refusal


async def head(exchange: Exchange) -> web.StreamResponse:
    """Whether the repository has the blob, and its length."""
    length = {hdrs.CONTENT_LENGTH: str(_size(exchange))}
    return web.Response(headers=_headers(exchange) | length)


async def get(exchange: Exchange) -> web.StreamResponse:
    """The blob, or one stretch of it."""
    size = _size(exchange)
    start, stop = _wanted(exchange.request, size)
    file = exchange.storage.open_blob(exchange.repository, exchange.digest)
    if file is None:
        raise _unknown(exchange)
    partial = (start, stop) != (0, size)
    answer = BlobAnswer(file, start, stop, status=206 if partial else 200)
    answer.headers.update(_headers(exchange))
    if partial:
        answer.headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{size}"
    return answer


async def delete(exchange: Exchange) -> web.StreamResponse:
    """Take the blob from the repository."""
    if not exchange.storage.delete_blob(exchange.repository, exchange.digest):
        raise _unknown(exchange)
    return web.Response(status=202)


def _size(exchange: Exchange) -> int:
    size = exchange.storage.blob_size(exchange.repository, exchange.digest)
    if size is None:
        raise _unknown(exchange)
    return size


def _wanted(request: web.Request, size: int) -> tuple[int, int]:
    """Start and stop of the wanted stretch; a Range we cannot read counts as none (RFC 9110)."""
    try:
        wanted = request.http_range
    except ValueError:
        return 0, size
    if wanted.start is None and wanted.stop is None:
        return 0, size
    start, stop, _ = wanted.indices(size)
    if start >= stop:
        raise Refusal(
            416,
            Code.RANGE_INVALID,
            "the range lies outside the blob",
            headers={hdrs.CONTENT_RANGE: f"bytes */{size}"},
        )
    return start, stop


def _headers(exchange: Exchange) -> dict[str, str]:
    digest = str(exchange.digest)
    return {
        "Docker-Content-Digest": digest,
        hdrs.ETAG: f'"{digest}"',
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.CONTENT_TYPE: "application/octet-stream",
    }


def _unknown(exchange: Exchange) -> Refusal:
    return Refusal(
        404,
        Code.BLOB_UNKNOWN,
        "blob unknown to registry",
        detail={"digest": str(exchange.digest)},
    )
