"""One request to the registry, with its parts parsed, and the shapes of bodies and answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import BinaryIO, Final

import anyio.to_thread
from aiohttp import hdrs, web
from msgspec import Struct

from longshore.errors import InvalidValue
from longshore.oci.digest import Digest
from longshore.oci.reference import check_repository
from longshore.registry.server.refusals import Code, Refusal
from longshore.registry.server.routes import Route
from longshore.registry.server.storage import Storage

Body = Callable[[web.Request], AsyncIterator[bytes]]
"""How a request's body is read; raises ConnectionResetError when it breaks off."""

CHUNK: Final = 1 << 20
_MAX_NAME: Final = 255


class Exchange(Struct, frozen=True, kw_only=True):
    """What a handler gets."""

    request: web.Request
    route: Route
    storage: Storage
    body: Body

    @property
    def repository(self) -> str:
        """The repository, parsed; refuses with NAME_INVALID."""
        return parse_name(self.route.repository)

    @property
    def digest(self) -> Digest:
        """The last part of the path as a digest; refuses with DIGEST_INVALID."""
        return parse_digest(self.route.reference)

    @property
    def path(self) -> str:
        """The repository's path, for Location."""
        return f"/v2/{self.repository}"


Handler = Callable[[Exchange], Awaitable[web.StreamResponse]]


def parse_name(text: str) -> str:
    """A repository's name; refuses with NAME_INVALID."""
    try:
        if len(text) <= _MAX_NAME:
            return check_repository(text)
    except InvalidValue as exc:
        raise Refusal(
            400, Code.NAME_INVALID, "invalid repository name", detail=exc.message
        ) from exc
    raise Refusal(400, Code.NAME_INVALID, "repository name too long")


def parse_digest(text: str) -> Digest:
    """A digest; refuses with DIGEST_INVALID."""
    try:
        return Digest.parse(text)
    except InvalidValue as exc:
        raise Refusal(400, Code.DIGEST_INVALID, "invalid digest", detail=exc.message) from exc


async def read_body(request: web.Request) -> AsyncIterator[bytes]:
    """The body in the pieces it arrives in: all that has come while the last was worked on."""
    while data := await request.content.readany():
        yield data


class BlobAnswer(web.Response):
    """An answer whose body is a stretch of a file, read in pieces while it is sent.

    `chunks` is that body, so that the registry with faults can send it in its own way.
    """

    def __init__(self, file: BinaryIO, start: int, stop: int, *, status: int) -> None:
        self.chunks = _stretch(file, start, stop)
        super().__init__(status=status, body=self.chunks)
        self.headers[hdrs.CONTENT_LENGTH] = str(stop - start)
        self.headers[hdrs.CONTENT_TYPE] = "application/octet-stream"

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the body; the file is closed at its end, and where the client goes away."""
        async with aclosing(self.chunks):
            await super().write_eof(data)


async def _stretch(file: BinaryIO, start: int, stop: int) -> AsyncGenerator[bytes, None]:
    with file:
        file.seek(start)
        while start < stop:
            data = await anyio.to_thread.run_sync(file.read, min(CHUNK, stop - start))
            if not data:
                raise ConnectionResetError("a blob became shorter while it was read")
            start += len(data)
            yield data
