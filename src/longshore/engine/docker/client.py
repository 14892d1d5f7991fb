"""Requests to an engine: one pool of connections, one API version, our errors only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import anyio
from msgspec import Struct

from longshore.engine.docker.dial import Address, resolved
from longshore.engine.docker.errors import reading, refusal, translated
from longshore.engine.docker.http import Body, Pool, Response
from longshore.engine.docker.progress import error_in
from longshore.engine.endpoint import Endpoint
from longshore.errors import EngineError, EngineUnavailable

NEWEST_API: Final = (1, 47)
OLDEST_API: Final = (1, 30)
"""``/containers/{id}/wait?condition=`` came with 1.30 (Engine API version history)."""

HELLO_SECONDS: Final = 30.0
_LINE_LIMIT: Final = 64 << 20


Parameters = Mapping[str, str] | Sequence[tuple[str, str]]
"""A query; a sequence where a name occurs several times."""

_LIBPOD: Final = "4.0.0"
"""The oldest version that Podman 4 and 5 speak of the API that is theirs alone."""

_Api: TypeAlias = tuple[int, int]


class Identity(Struct, frozen=True, kw_only=True):
    """Who the engine is, as far as requests depend on it."""

    api: _Api
    is_podman: bool = False

    @property
    def api_text(self) -> str:
        """The version as it stands in request paths."""
        return f"{self.api[0]}.{self.api[1]}"


class Answer:
    """The body of an answer that is read while it arrives."""

    def __init__(self, response: Response, where: str) -> None:
        self._response = response
        self._where = where

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body's bytes in the sizes they come in."""
        chunks = self._response.chunks()
        while True:
            with translated(self._where):
                data = await anext(chunks, b"")
            if not data:
                return
            yield data

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """The JSON objects of a body that has one a line."""
        rest: list[bytes] = []
        size = 0
        async for data in self.chunks():
            *lines, last = data.split(b"\n")
            for line in lines:
                message = _message(b"".join([*rest, line]))
                rest, size = [], 0
                if message is not None:
                    yield message
            rest.append(last)
            size += len(last)
            if size > _LINE_LIMIT:
                raise EngineError("the engine sent a message without end")
        final = _message(b"".join(rest))
        if final is not None:
            yield final


def _message(line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    with reading("what it does"):
        message = json.loads(line)
        if not isinstance(message, dict):
            raise TypeError("not an object")
        return message


class Client:
    """Requests to one engine. Every error is an `EngineError`; only connecting has a time limit."""

    def __init__(self, pool: Pool, address: Address, who: Identity) -> None:
        self._pool = pool
        self.address = address
        self.identity = who
        self.last_heard = 0
        """The engine's clock at its last answer, in seconds since 1970."""

    def path(self, path: str) -> str:
        """`path` below the negotiated API version; what Podman alone has counts in its own ones."""
        version = _LIBPOD if path.startswith("/libpod/") else self.identity.api_text
        return f"/v{version}{path}"

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        data: AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[Answer]:
        """Send a request, with `data` as its body, and read the answer as it comes.

        Leaving the block before the end closes the connection, which stops the engine's work.
        """
        async with self._answer(method, path, params, headers or {}, data) as response:
            yield Answer(response, self.address.where)

    async def json(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        body: object = None,
    ) -> Any:
        """Send a request and return the decoded answer; None when it is empty."""
        async with self._answer(method, path, params, {}, _encoded(body)) as response:
            with translated(self.address.where):
                text = await response.read()
                return json.loads(text) if text.strip() else None

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        params: Parameters | None,
        headers: Mapping[str, str],
        body: Body,
    ) -> AsyncIterator[Response]:
        """An answer that is no refusal."""
        query = f"?{urlencode(params)}" if params else ""
        kind = {"Content-Type": "application/json"} if isinstance(body, bytes) else {}
        target = f"{self.path(path)}{query}"
        opening = self._pool.request(method, target, {**kind, **headers}, body)
        async with AsyncExitStack() as stack:
            with translated(self.address.where):
                response = await stack.enter_async_context(opening)
                self.last_heard = _seconds(response.headers.get("date")) or self.last_heard
                text = await response.read() if response.status >= 400 else b""
            if response.status >= 400:
                raise refusal(response.status, said_in(text))
            yield response


def _encoded(body: object) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _seconds(date: str | None) -> int:
    """An HTTP date (RFC 9110, 5.6.7) in seconds since 1970; 0 for none."""
    with suppress(ValueError, TypeError):
        return int(parsedate_to_datetime(date or "").timestamp())
    return 0


def _said(text: str) -> str:
    """The engine's message in an error body: ``{"message": …}``, or whatever came.

    Podman refuses a push with the message of a stream, ``{"errorDetail": …}``.
    """
    try:
        body = json.loads(text)
        return error_in(body) or str(body["message"])
    except (ValueError, LookupError, RecursionError, TypeError, AttributeError):
        return text[:1000]


def said_in(body: bytes) -> str:
    """The message of an error body that was read from a raw connection."""
    return _said(body.decode(errors="replace"))


@asynccontextmanager
async def connected(endpoint: Endpoint) -> AsyncIterator[Client]:
    """A client for the engine at `endpoint`, with the API version agreed upon.

    Raises `EngineUnavailable` when no engine answers, or none that we can talk to.
    """
    async with resolved(endpoint) as address:
        pool = Pool(address)
        try:
            with _whoever_it_is():
                who = await _introduced(pool, address)
            yield Client(pool, address, who)
        finally:
            with anyio.CancelScope(shield=True):
                await pool.close()


@contextmanager
def _whoever_it_is() -> Iterator[None]:
    """What answers as no engine does is none: there may be one elsewhere."""
    try:
        yield
    except EngineUnavailable:
        raise
    except EngineError as error:
        raise EngineUnavailable(error.message, hint=error.hint, status=error.status) from error


async def _introduced(pool: Pool, address: Address) -> Identity:
    with translated(address.where), anyio.fail_after(HELLO_SECONDS):
        return await _greeted(pool, address) or await _asked(pool, address)


async def _greeted(pool: Pool, address: Address) -> Identity | None:
    """Podman says in the answer to ``GET /_ping`` what it speaks.

    Asked for its version it starts every program it works with: 0.7 s. Docker's answer leaves out
    the oldest API it speaks.
    """
    async with pool.request("GET", "/_ping", {}, None) as response:
        await response.read()
    if not _is_podmans(response):
        return None
    with reading("its greeting"):
        newest = _number(response.headers["api-version"])
    oldest = min(newest, OLDEST_API)  # it does not say
    return Identity(api=_common(newest, oldest, address.where), is_podman=True)


async def _asked(pool: Pool, address: Address) -> Identity:
    async with pool.request("GET", "/version", {}, None) as response:
        text = await response.read()
    if response.status >= 400:
        raise refusal(response.status, said_in(text), otherwise=EngineUnavailable)
    version = json.loads(text)
    with reading("its version"):
        newest = _number(version["ApiVersion"])
        oldest = _number(version.get("MinAPIVersion") or "1.12")
    return Identity(api=_common(newest, oldest, address.where), is_podman=_is_podmans(response))


def _is_podmans(response: Response) -> bool:
    """Podman says in every answer what it is (``pkg/api/server/handler_api.go``); a proxy that
    forbids the ping answers it for itself."""
    return "libpod-api-version" in response.headers


def _common(newest: _Api, oldest: _Api, where: str) -> _Api:
    """The newest API both sides know (Engine API, "Versioning")."""
    if oldest > NEWEST_API or newest < OLDEST_API:
        raise EngineUnavailable(
            f"the engine at {where} speaks API {oldest[0]}.{oldest[1]} to "
            f"{newest[0]}.{newest[1]}; longshore speaks {OLDEST_API[0]}.{OLDEST_API[1]} to "
            f"{NEWEST_API[0]}.{NEWEST_API[1]}",
            hint="update longshore" if oldest > NEWEST_API else "update the engine",
        )
    return min(newest, NEWEST_API)


def _number(text: str) -> _Api:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)
