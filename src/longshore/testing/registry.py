"""A registry for tests that records what it is asked and fails on demand.

::

    plan = Script([on("PATCH upload", ResetRequest(after=100_000))])
    async with faulty_registry(plan=plan, auth=TokenAuth(users={"ci": "secret"})) as registry:
        ...                       # push to registry.host
        registry.recorded         # every request, with its Authorization header

It is the development registry (`longshore.registry.server`) with the faults around it, so what it
does between faults is what the contract tests hold against a real registry.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import anyio
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from msgspec import Struct, field
from multidict import CIMultiDictProxy

from longshore.registry.server.app import create_app
from longshore.registry.server.exchange import read_body
from longshore.registry.server.memory import MemoryStorage
from longshore.registry.server.refusals import Code, Refusal
from longshore.registry.server.routes import Kind, Route, route_of
from longshore.registry.server.serving import serve_app
from longshore.registry.server.storage import Storage
from longshore.testing.faults import BodyLimit, Fault, Plan, ResetRequest, Script
from longshore.testing.registry_auth import TOKEN_PATH, Authentication, TokenAuth
from longshore.testing.registry_faulting import (
    ConnectionReset,
    Sleep,
    after,
    before,
    instead,
    reset,
)


class Recorded(Struct, kw_only=True):
    """One request as it came, `at` seconds of the monotonic clock.

    `received` counts bytes of its body that reached the registry. `status` is None while it is
    under way, and stays so when the connection was cut. `kind` of the token endpoint is OTHER.
    """

    method: str
    path: str
    at: float
    kind: Kind
    headers: CIMultiDictProxy[str]
    received: int = 0
    status: int | None = None
    fault: Fault | None = None

    @property
    def authorization(self) -> str | None:
        """The Authorization header."""
        return self.headers.get(hdrs.AUTHORIZATION)


class FaultyRegistry(Struct, kw_only=True):
    """A running registry: where it is, what it holds, what it was asked, and what it will do.

    `plan` may be replaced at any time; requests that arrive afterwards ask the new one.
    """

    storage: Storage
    plan: Plan
    auth: Authentication | None = None
    sleep: Sleep = anyio.sleep
    url: str = ""
    host: str = ""
    recorded: list[Recorded] = field(default_factory=list)

    def requests(self, method: str | None = None, kind: Kind | None = None) -> list[Recorded]:
        """What was recorded, narrowed down."""
        return [
            record
            for record in self.recorded
            if method in (None, record.method) and kind in (None, record.kind)
        ]

    @property
    def story(self) -> list[str]:
        """What was asked and how it ended, in order: ``PATCH 202``, ``PUT None``."""
        return [f"{record.method} {record.status}" for record in self.recorded]

    @property
    def received(self) -> int:
        """Bytes of all request bodies together."""
        return sum(record.received for record in self.recorded)

    def application(self) -> web.Application:
        """The registry with recording outermost, then faults, then authentication."""
        app = create_app(
            self.storage, middlewares=[self._record, self._fail, self._admit], body=self._body
        )
        if isinstance(self.auth, TokenAuth):
            app.router.add_route("*", TOKEN_PATH, self.auth.answer)
        return app

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        route = route_of(request.path)
        record = Recorded(
            method=request.method,
            path=request.path_qs,
            at=time.monotonic(),
            kind=route.kind if route else Kind.OTHER,
            headers=request.headers,
        )
        self.recorded.append(record)
        _RECORD.set(record)
        try:
            answer = await handler(request)
        except ConnectionReset:
            return web.Response()
        if request.transport is not None and not request.transport.is_closing():
            record.status = answer.status
        return answer

    @web.middleware
    async def _fail(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        record = _RECORD.get()
        route = route_of(request.path) or Route(kind=Kind.OTHER)
        chosen = self.plan.choose(request.method, route, request.path_qs)
        record.fault = before(chosen, request, self.storage, self.auth)
        if isinstance(record.fault, ResetRequest) and record.fault.after == 0:
            raise reset(request)
        answer = await instead(record.fault, request)
        if answer is not None:
            return answer
        return await after(record.fault, request, await handler(request), self.sleep)

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.auth is not None and request.path != TOKEN_PATH:
            try:
                self.auth.check(request)
            except Refusal as refusal:
                return refusal.answer()
        return await handler(request)

    async def _body(self, request: web.Request) -> AsyncIterator[bytes]:
        """Count the body, and break it off where the plan says."""
        record = _RECORD.get()
        limit = record.fault.after if isinstance(record.fault, ResetRequest) else None
        async for data in read_body(request):
            kept = data if limit is None else data[: limit - record.received]
            record.received += len(kept)
            yield kept
            if record.received == limit:
                raise reset(request)
            if isinstance(record.fault, BodyLimit) and record.received > record.fault.limit:
                raise Refusal(413, Code.SIZE_INVALID, "request entity too large")


_RECORD: ContextVar[Recorded] = ContextVar("recorded")
"""Each connection is served by a task of its own, one request after the other."""


@asynccontextmanager
async def faulty_registry(
    *,
    plan: Plan | None = None,
    auth: Authentication | None = None,
    storage: Storage | None = None,
    tls: ssl.SSLContext | None = None,
    sleep: Sleep = anyio.sleep,
) -> AsyncIterator[FaultyRegistry]:
    """A registry on a free port of 127.0.0.1, until the block is left.

    Without `plan` it has no faults, without `auth` it is open, without `storage` it begins empty
    in memory. Two that share a `storage` share upload sessions too: one can name the other in
    Location. With `tls` it speaks https alone.
    """
    registry = FaultyRegistry(
        storage=MemoryStorage() if storage is None else storage,
        plan=Script() if plan is None else plan,
        auth=auth,
        sleep=sleep,
    )
    async with serve_app(registry.application(), tls=tls) as running:
        registry.url, registry.host = running.url, running.host
        yield registry
