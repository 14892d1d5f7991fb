"""The only file that opens connections: one request to aiohttp, one answer back."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Final, Self

import anyio
from multidict import CIMultiDictProxy
from yarl import URL

from longshore import __version__
from longshore.environment import Environment
from longshore.registry.transport.errors import CUT_HINT, interrupted, translate
from longshore.registry.transport.exchange import Answer, Buffer, Pieces, Request, host_of
from longshore.registry.transport.http_client import aiohttp
from longshore.registry.transport.kept import KeptConnections
from longshore.registry.transport.proxies import proxy_for, proxy_login
from longshore.registry.transport.tls import Trust

BODY_LIMIT: Final = 4 << 20
"""Bytes of an answer that are read: distribution takes no larger manifests either."""
_READ_SIZE: Final = 1 << 18
_HEADER_LIMIT: Final = 1 << 18
"""Bytes of one header: addresses that object stores sign are longer than aiohttp's 8190."""
_PART: Final = 512 << 10
_HANDED_ON: Final = 1e6
"""Bytes a second at which a proxy that takes a body as a whole first is waited for."""
_AGENT: Final = f"longshore/{__version__}"


class _Watchdog:
    """Cuts an exchange in which no byte has moved for `idle` seconds.

    The time a body's source takes to produce bytes does not count.
    """

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self.scope = anyio.CancelScope()

    def moved(self) -> None:
        self.scope.deadline = anyio.current_time() + self._idle

    def hold(self) -> None:
        self.scope.deadline = float("inf")

    def sent(self, count: int) -> None:
        """The body is through; what stands before a registry may hand it on only now."""
        self.scope.deadline = anyio.current_time() + self._idle + count / _HANDED_ON


class _Open:
    """`Content` of an answer whose body is still to be read."""

    def __init__(
        self, stack: AsyncExitStack, response: aiohttp.ClientResponse, request: Request, idle: float
    ) -> None:
        self._stack = stack
        self._response = response
        self._request = request
        self._idle = idle

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self._read():
            yield data

    async def _read(self) -> bytes:
        subject, host = self._request.subject, host_of(self._request.url)
        try:
            with anyio.fail_after(self._idle):
                return await self._response.content.read(_READ_SIZE)
        except (aiohttp.ClientError, OSError) as error:
            raise translate(error, subject, host) from error

    async def aclose(self) -> None:
        # An answer read to its end keeps its connection; closing one that is not, drops it.
        await self._stack.aclose()


@dataclass(slots=True, kw_only=True)
class Session:
    """What aiohttp is used for: no cookies kept, no redirects followed, nothing unpacked.

    Use as an async context manager.
    """

    environment: Environment
    trust: Trust = field(default_factory=Trust)
    idle: float = 60.0
    _clients: dict[bool, aiohttp.ClientSession] = field(default_factory=dict)
    """By whether they keep connections; opened when first needed."""
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)
    _kept: KeptConnections = field(default_factory=KeptConnections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True):
            for client in self._clients.values():
                await client.close()

    def _client(self, host: str) -> aiohttp.ClientSession:
        keeping = self._kept.may_be_kept(host)
        if keeping not in self._clients:
            self._clients[keeping] = self._opened(keeping=keeping)
        return self._clients[keeping]

    def _opened(self, *, keeping: bool) -> aiohttp.ClientSession:
        tracing = aiohttp.TraceConfig()
        tracing.on_connection_reuseconn.append(_by_kept)
        client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=not keeping),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": _AGENT, "Accept-Encoding": "identity"},
            skip_auto_headers=("Content-Type",),
            max_line_size=_HEADER_LIMIT,
            max_field_size=_HEADER_LIMIT,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(30.0, self.idle)),
            trace_configs=[tracing],
        )
        # aiohttp would send GET, HEAD, PUT and DELETE again by itself when a kept connection turns
        # out dead, bodies that are used up included; only transport.retry repeats anything.
        client._retry_connection = False
        return client

    async def send(self, request: Request) -> Answer:
        """See `Sender.send`: connection failures as RegistryUnavailable, any status as it is."""
        idle = self.idle if request.idle is None else request.idle
        watchdog = _Watchdog(idle)
        outgoing = _Outgoing(request, watchdog)
        host = host_of(request.url)
        try:
            with watchdog.scope:
                watchdog.moved()
                return await self._exchange(request, outgoing)
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            if outgoing.failure is not None:
                raise outgoing.failure from error
            self._kept.died(host, kept=outgoing.by_kept)
            raise translate(error, request.subject, host) from error
        reason = f"no byte moved for {idle:g} s"
        raise interrupted(request.subject, host, reason, CUT_HINT)

    async def _exchange(self, request: Request, outgoing: _Outgoing) -> Answer:
        proxy, host = proxy_for(request.url, self.environment), host_of(request.url)
        login, tunnelled = proxy_login(proxy), request.url.scheme == "https"
        async with AsyncExitStack() as stack:
            response = await stack.enter_async_context(
                self._client(host).request(
                    request.method,
                    _address(request),
                    headers=outgoing.headers if tunnelled else {**outgoing.headers, **login},
                    data=outgoing.data,
                    allow_redirects=False,
                    ssl=self._context(request.url, proxy),
                    proxy=proxy.with_user(None) if proxy else None,
                    proxy_headers=login if tunnelled else None,
                    trace_request_ctx=outgoing,
                )
            )
            self._kept.answered(host, kept=outgoing.by_kept)
            if request.keep_open and response.status in (200, 206):
                content = _Open(stack.pop_all(), response, request, self.idle)
                return _answer(response, request, b"", content)
            return _answer(response, request, await _read_capped(response))

    def _context(self, url: URL, proxy: URL | None) -> ssl.SSLContext | bool:
        """What aiohttp takes for both, should both be reached by TLS."""
        secured = next((one for one in (url, proxy) if one and one.scheme == "https"), None)
        if secured is None:
            return True
        authority = host_of(secured)
        if authority not in self._contexts:
            self._contexts[authority] = self.trust.context(authority)
        return self._contexts[authority]


async def _by_kept(_: object, context: SimpleNamespace, __: object) -> None:
    outgoing: _Outgoing = context.trace_request_ctx
    outgoing.by_kept = True


class _Outgoing:
    """A request's body as aiohttp wants it, watched on its way out.

    `by_kept`: by a connection that was kept from another request.
    """

    def __init__(self, request: Request, watchdog: _Watchdog) -> None:
        self.failure: Exception | None = None
        self.by_kept = False
        self._watchdog = watchdog
        self.headers = dict(request.headers)
        self.data: bytes | AsyncIterator[Buffer] | None
        body = request.body
        if body is None or isinstance(body, bytes):
            self.data = body
        elif isinstance(body, Pieces):
            # aiohttp streams in chunked coding unless it is told the length.
            self.headers["Content-Length"] = str(body.length)
            self.data = self._all_of(body)
        else:
            self.data = self._stream(body)

    async def _all_of(self, body: Pieces) -> AsyncIterator[Buffer]:
        for piece in body.pieces:
            for part in _parts(piece):
                self._watchdog.moved()
                yield part
        self._watchdog.sent(body.length)

    async def _stream(self, body: AsyncIterator[Buffer]) -> AsyncIterator[Buffer]:
        self._watchdog.hold()
        count = 0
        try:
            async for piece in body:
                for part in _parts(piece):
                    self._watchdog.moved()
                    yield part
                count += len(piece)
                self._watchdog.hold()
        except Exception as error:
            self.failure = error
            raise
        self._watchdog.sent(count)


def _address(request: Request) -> URL:
    """A login that a registry has written into an address (a Location, a realm) gives way to ours;
    aiohttp takes no two."""
    ours = any(name.lower() == "authorization" for name in request.headers)
    return request.url.with_user(None) if ours else request.url


def _parts(piece: Buffer) -> Iterator[Buffer]:
    """What is given to a line at a time: it must get through before that line counts as silent."""
    whole = memoryview(piece)
    return (whole[at : at + _PART] for at in range(0, len(whole), _PART))


async def _read_capped(response: aiohttp.ClientResponse) -> bytes:
    """At most BODY_LIMIT bytes; a longer answer is cut and its connection dropped."""
    parts: list[bytes] = []
    size = 0
    while size < BODY_LIMIT and (data := await response.content.read(BODY_LIMIT - size)):
        parts.append(data)
        size += len(data)
    if size >= BODY_LIMIT:
        response.close()
    return b"".join(parts)


def _answer(
    response: aiohttp.ClientResponse, request: Request, body: bytes, content: _Open | None = None
) -> Answer:
    headers: CIMultiDictProxy[str] = response.headers
    return Answer(
        status=response.status, headers=headers, body=body, url=request.url, content=content
    )
