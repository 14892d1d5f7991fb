"""The line to one registry: found once, then asked by name of repository and path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

import anyio
from msgspec import Struct, field
from msgspec.structs import replace
from yarl import URL

from longshore.errors import RegistryDenied, RegistryError, RegistryUnavailable
from longshore.registry.auth.tokens import Authorizing, pull_scope
from longshore.registry.chunking import Chunking
from longshore.registry.limits import Limits
from longshore.registry.once import Once
from longshore.registry.progress import Listener
from longshore.registry.spare_sessions import SpareSessions
from longshore.registry.transport.errors import refusal, untried
from longshore.registry.transport.exchange import Answer, Body, Request, Sender, Subject, host_of
from longshore.registry.transport.retry import Backoff, Patience
from longshore.registry.transport.scheme import Found, Reach, discover

Result = TypeVar("Result")
_NOTHING_THERE: Final = frozenset({404, 405, 501})


class Line(Struct, kw_only=True):
    """`open` is the chain without credentials, `sender` the one with them.

    `mountable` tells, for a repository and the one to mount from, whether the registry answers
    that at all (see `upload_session.mount`); `spare` are the uploads that this has begun.
    """

    host: str
    open: Sender
    sender: Authorizing
    reach: Reach
    limits: Limits
    backoff: Backoff
    listener: Listener
    chunking: Chunking
    mountable: Once[tuple[str, str], bool] = field(default_factory=Once)
    spare: SpareSessions = field(default_factory=SpareSessions)
    _found: Once[str, Found] = field(default_factory=Once)

    async def found(self, deadline: float) -> Found:
        """Where the registry is; asked once."""
        return await self._found.get(self.host, lambda: self._discover(deadline))

    def greets_with(self, status: int) -> bool:
        """Whether ``GET /v2/`` was answered so."""
        found = self._found.known(self.host)
        return found is not None and found.greeting.status == status

    async def _discover(self, deadline: float) -> Found:
        found = await discover(self.open, self.host, self.reach, deadline=deadline)
        self.sender.learn(found.base, found.greeting)
        return found

    def call(self, repository: str, scopes: tuple[str, ...] = ()) -> Call:
        """Begin something about one repository; the deadline runs from now on."""
        deadline = self.backoff.clock.now() + self.limits.deadline
        return Call(line=self, repository=repository, scopes=scopes, deadline=deadline)

    async def within(self, call: Call, work: Callable[[Call], Awaitable[Result]]) -> Result:
        """Do `work`, cut off at the deadline whatever it is waiting for."""
        with anyio.move_on_after(self.limits.deadline):
            return await work(call)
        raise RegistryUnavailable(
            f"{self.host} did not finish with {call.repository or 'its greeting'} within "
            f"{self.limits.deadline:g} s",
            hint="allow more time with --push-timeout, or find out what is slow",
            registry=self.host,
            repository=call.repository or None,
        )


class Call(Struct, frozen=True, kw_only=True):
    """One thing we want of a registry: its repository, token scopes and deadline."""

    line: Line
    repository: str
    scopes: tuple[str, ...]
    deadline: float

    def reading(self, source: str) -> Call:
        """The same with the right to read another repository; the pushed one stays first."""
        return replace(self, scopes=(*self.scopes, pull_scope(source)))

    def subject(self, what: str) -> Subject:
        """For messages: `what` of this repository."""
        return Subject(registry=self.line.host, repository=self.repository, what=what)

    def refusal(self, answer: Answer, what: str) -> RegistryError:
        """The error for an answer that is not what we need."""
        subject, unasked = self.subject(what), self.line.sender.unasked
        error = refusal(answer, subject, self.line.sender.credential)
        if unasked is not None and isinstance(error, RegistryDenied):
            error.hint = untried(unasked, subject)
        if answer.status in _NOTHING_THERE and self.line.greets_with(404):
            error.hint = (
                f"no registry seems to answer at {self.line.host}: it says 404 to GET /v2/; check "
                "the host in the image's name"
            )
        return error

    async def patience(self) -> Patience:
        """A budget for an operation of several requests."""
        found = await self.line.found(self.deadline)
        return Patience(backoff=self.line.backoff, host=host_of(found.base), deadline=self.deadline)

    async def url(self, path: str, **query: str) -> URL:
        """``/v2/<repository>/<path>`` there."""
        found = await self.line.found(self.deadline)
        return found.base.with_path(f"/v2/{self.repository}/{path}").with_query(query)

    async def ask(
        self,
        method: str,
        url: URL,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        once: bool = False,
        final: frozenset[int] = frozenset(),
        keep_open: bool = False,
        idle: float | None = None,
    ) -> Answer:
        """Send and wait for the answer, whatever its status. `what` names the thing asked for."""
        request = Request(
            method=method,
            url=url,
            subject=self.subject(what),
            headers=headers or {},
            body=body,
            scopes=self.scopes,
            once=once,
            final=final,
            deadline=self.deadline,
            keep_open=keep_open,
            idle=idle,
        )
        return await self.line.sender.send(request)
