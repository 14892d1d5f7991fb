"""How each fault is done to a request or its answer."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web

from longshore.registry.server.exchange import BlobAnswer
from longshore.registry.server.refusals import Refusal
from longshore.registry.server.routes import route_of
from longshore.registry.server.storage import Storage
from longshore.testing.faults import (
    Answer,
    AnswerEarly,
    BodyLimit,
    Corrupt,
    Drip,
    ExpireTokens,
    Fault,
    Late,
    LocationElsewhere,
    LoseUpload,
    Redirect,
    ResetResponse,
    Truncate,
    WrongDigest,
)
from longshore.testing.registry_auth import Authentication, TokenAuth

Sleep = Callable[[float], Awaitable[None]]
_WRONG: Final = f"sha256:{'0' * 64}"


class ConnectionReset(ConnectionResetError):
    """The connection was reset on purpose."""


def reset(request: web.Request) -> ConnectionReset:
    """Reset the connection now; what is raised keeps the handler from going on."""
    if request.transport is not None:
        opened = request.transport.get_extra_info("socket")
        # Without lingering the kernel sends RST, not FIN, even when everything was read.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return ConnectionReset("reset by the fault plan")


def before(
    fault: Fault | None, request: web.Request, storage: Storage, auth: Authentication | None
) -> Fault | None:
    """Do what a fault does before the registry sees the request; returns what is left to do."""
    match fault:
        case LoseUpload():
            _lose(request, storage)
        case ExpireTokens() if isinstance(auth, TokenAuth):
            auth.expire_all()
        case BodyLimit(limit=limit) if (request.content_length or 0) > limit:
            return AnswerEarly(answer=Answer(status=413, message="Request Entity Too Large"))
    return fault


async def instead(fault: Fault | None, request: web.Request) -> web.StreamResponse | None:
    """The answer of a fault that keeps the request from the registry, or None."""
    match fault:
        case Answer():
            await _drain(request)
            return _answer(fault)
        case AnswerEarly(answer=answer):
            early = _answer(answer)
            early.force_close()
            return early
        case Redirect(base=base, status=status):
            location = f"{base}{request.rel_url}"
            return web.Response(status=status, headers={hdrs.LOCATION: location})
    return None


async def after(
    fault: Fault | None, request: web.Request, answer: web.StreamResponse, sleep: Sleep
) -> web.StreamResponse:
    """Do what a fault does to the registry's answer."""
    match fault:
        case ResetResponse(after=None):
            raise reset(request)
        case ResetResponse(after=int(count)):
            await _send(request, answer, _first(_body(answer), count))
            raise reset(request)
        case Truncate(after=count):
            sent = await _send(request, answer, _first(_body(answer), count))
            if request.transport is not None:
                request.transport.close()
            return sent
        case Corrupt():
            return await _finished(request, answer, _changed(_body(answer)))
        case Drip(size=size, pause=pause):
            return await _finished(request, answer, _slowly(_body(answer), size, pause, sleep))
        case Late(pause=pause):
            await sleep(pause)
        case WrongDigest():
            answer.headers["Docker-Content-Digest"] = _WRONG
        case LocationElsewhere(base=base) if hdrs.LOCATION in answer.headers:
            answer.headers[hdrs.LOCATION] = base + answer.headers[hdrs.LOCATION]
    return answer


def _lose(request: web.Request, storage: Storage) -> None:
    route = route_of(request.path)
    upload = route and storage.find_upload(route.repository, route.reference)
    if upload:
        storage.cancel_upload(upload)


async def _drain(request: web.Request) -> None:
    """Read the body, as a registry does that fails late."""
    async for _ in request.content.iter_chunked(1 << 20):
        pass


def _answer(answer: Answer) -> web.Response:
    response = _shape(answer)
    if answer.retry_after is not None:
        response.headers[hdrs.RETRY_AFTER] = answer.retry_after
    return response


def _shape(answer: Answer) -> web.Response:
    if answer.code is not None:
        return Refusal(answer.status, answer.code, answer.message).answer()
    # What stands before a registry answers in HTML.
    page = f"<html><body><h1>{answer.status} {answer.message}</h1></body></html>"
    return web.Response(status=answer.status, text=page, content_type="text/html")


async def _body(answer: web.StreamResponse) -> AsyncIterator[bytes]:
    if isinstance(answer, BlobAnswer):
        async for chunk in answer.chunks:
            yield chunk
    elif isinstance(answer, web.Response) and isinstance(answer.body, bytes):
        yield answer.body


async def _send(
    request: web.Request, answer: web.StreamResponse, body: AsyncIterator[bytes]
) -> web.StreamResponse:
    """Send the head as it would be, with the full length, and then `body`."""
    sent = web.StreamResponse(status=answer.status, headers=answer.headers)
    sent.content_length = answer.content_length
    await sent.prepare(request)
    if request.method != hdrs.METH_HEAD:
        async for chunk in body:
            await sent.write(chunk)
    return sent


async def _finished(
    request: web.Request, answer: web.StreamResponse, body: AsyncIterator[bytes]
) -> web.StreamResponse:
    sent = await _send(request, answer, body)
    await sent.write_eof()
    return sent


async def _first(body: AsyncIterator[bytes], count: int) -> AsyncIterator[bytes]:
    async for chunk in body:
        if count <= 0:
            return
        yield chunk[:count]
        count -= len(chunk)


async def _changed(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    mask = 1
    async for chunk in body:
        yield bytes([chunk[0] ^ mask]) + chunk[1:]
        mask = 0


async def _slowly(
    body: AsyncIterator[bytes], size: int, pause: float, sleep: Sleep
) -> AsyncIterator[bytes]:
    async for chunk in body:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]
            await sleep(pause)
