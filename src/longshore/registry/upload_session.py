"""One upload session as the registry sees it (OCI distribution spec 1.1, "Pushing blobs").

The address changes with every answer; cookies are kept because load balancers use them to lead
all requests of a session to the process that knows it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Final

import anyio
from msgspec import Struct, field
from msgspec.structs import replace
from yarl import URL

from longshore.errors import LongshoreError, RegistryError, RegistryUnavailable
from longshore.oci.digest import Digest
from longshore.registry.line import Call
from longshore.registry.ranges import content_range, received
from longshore.registry.transport.exchange import Answer, Buffer, Pieces, origin_of
from longshore.registry.transport.redirects import resolve

_OCTETS: Final = "application/octet-stream"
_FAREWELL: Final = 2.0
"""Seconds in all for the end of a session that is given up: it comes after a Ctrl-C, and after the
time that was allowed."""
_FAILED: Final = frozenset({500})
"""Some registries fail over a mount, and take the blob itself all the same."""
_NO_STATUS: Final = frozenset({400, 403, 404, 405, 409, 410, 416, 422, 501})
"""What registries answer of an upload they cannot go on with, or cannot be asked about."""

_OF_BROWSERS: Final = re.compile(r"sid|.*session.?id|.*[cx]srf.*", re.IGNORECASE)
"""Cookies of a registry's own web page, no balancer's. With its ``sid`` Harbor takes a request for
a browser's and refuses to write without a token against forgery (openai/tart#295)."""


class SessionLost(Exception):  # a turn in the story, not an error
    """The registry does not know the session (any more)."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class UploadSession(Struct):
    """`location` is where the next request goes; `what` names the blob in messages."""

    call: Call
    location: URL
    what: str
    _over: float | None = None
    """When, on the event loop's clock, nobody waits any more for a session that was given up."""
    _cookies: dict[tuple[str, str, int | None], dict[str, str]] = field(default_factory=dict)

    async def append(self, body: Pieces | AsyncIterator[Buffer], offset: int) -> Answer:
        """PATCH: the bytes from `offset` on, announced when they are `Pieces`, else streamed.

        Never repeated by itself. Any status is returned; on success the session has moved on.
        """
        headers = {"Content-Type": _OCTETS}
        if isinstance(body, Pieces):
            headers["Content-Range"] = content_range(offset, body.length)
        answer = await self._ask("PATCH", self.location, headers, body)
        if answer.status in (200, 201, 202, 204):
            self._move(answer)
        return answer

    async def received(self) -> int:
        """GET: how many bytes the registry has; raises SessionLost when it cannot go on."""
        answer = await self._ask("GET", self.location, {}, None, once=False)
        if answer.status in _NO_STATUS:
            raise SessionLost(answer)
        if answer.status not in (200, 202, 204):
            raise self.call.refusal(answer, self.what)
        self._move(answer)
        return received(answer.headers.get("Range"))

    async def commit(self, digest: Digest, body: Pieces | None = None) -> Answer:
        """PUT: the blob is complete (with `body` when nothing was sent before).

        The answer may take long; see `Limits.commit`.
        """
        headers = {"Content-Type": _OCTETS} if body else {"Content-Length": "0"}
        url, idle = _with_digest(self.location, digest), self.call.line.limits.commit
        return await self._ask("PUT", url, headers, body, idle=idle)

    def begin_farewell(self) -> float:
        """From now on the session is given up; until when (event loop's clock) that may take."""
        if self._over is None:
            self._over = anyio.current_time() + _FAREWELL
        return self._over

    async def cancel(self) -> None:
        """DELETE, in what is left of the farewell, also while we are being cancelled; failing does
        not matter: registries drop sessions that nobody ends."""
        over = self.begin_farewell()
        if over <= anyio.current_time():
            return  # it has not answered the last request yet
        # What is due already does not wait until the host may be asked again.
        call = replace(self.call, deadline=self.call.line.backoff.clock.now())
        with anyio.CancelScope(deadline=over, shield=True), suppress(LongshoreError):
            await replace(self, call=call)._ask("DELETE", self.location, {}, None)

    async def _ask(
        self,
        method: str,
        url: URL,
        headers: dict[str, str],
        body: Pieces | AsyncIterator[Buffer] | None,
        *,
        once: bool = True,
        idle: float | None = None,
    ) -> Answer:
        if cookies := self._cookies.get(origin_of(url)):
            headers = {**headers, "Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
        answer = await self.call.ask(
            method, url, self.what, headers=headers, body=body, once=once, idle=idle
        )
        self.remember(answer)
        return answer

    def remember(self, answer: Answer) -> None:
        """Keep the cookies of an answer for its own origin."""
        kept = self._cookies.setdefault(origin_of(answer.url), {})
        for header in answer.headers.getall("Set-Cookie", ()):
            # Python's cookies know neither every attribute nor every name that is in use.
            name, equals, value = header.partition(";")[0].partition("=")
            if equals and name.strip() and not _OF_BROWSERS.fullmatch(name.strip()):
                kept[name.strip()] = value.strip()

    def _move(self, answer: Answer) -> None:
        if "Location" in answer.headers:
            self.location = resolve(answer, self.call.subject(self.what), self.call.line.reach)


async def spare_or_new(call: Call, what: str) -> UploadSession:
    """A session that a refused mount has left, else a new one."""
    return call.line.spare.take(call, what) or await begin(call, what)


async def begin(call: Call, what: str) -> UploadSession:
    """POST: a new session."""
    return _opened(call, what, await _post(call, what))


async def mount(call: Call, what: str, digest: Digest, source: str) -> bool:
    """POST: link the blob from the repository `source`; True when that was done.

    A registry that cannot do it starts a session instead (202), which is kept for the next upload.
    It may also refuse: no right to read there, no such repository, a method it does not know.
    That holds for every blob, so it is asked for once, however many blobs wait for the answer.
    That one blob is not there says nothing about the next, and to send a blob costs far more than
    to ask. Raises RegistryUnavailable.
    """
    answered: list[bool] = []

    async def first() -> bool:
        allowed, done = await _mount(call, what, digest, source)
        answered.append(done)
        return allowed

    allowed = await call.line.mountable.get((call.repository, source), first)
    if not allowed:
        return False
    return answered[0] if answered else (await _mount(call, what, digest, source))[1]


async def _mount(call: Call, what: str, digest: Digest, source: str) -> tuple[bool, bool]:
    """Whether mounting from there may work for other blobs, and whether it did for this one."""
    call = call.reading(source)
    query = {"mount": str(digest), "from": source}
    try:
        answer = await _post(call, what, query, final=_FAILED)
        if answer.status not in {201, *_FAILED}:
            call.line.spare.keep(_opened(call, what, answer))
        return True, answer.status == 201
    except RegistryUnavailable:
        raise
    except RegistryError as error:
        return error.code == "BLOB_UNKNOWN", False


async def _post(
    call: Call,
    what: str,
    query: Mapping[str, str] | None = None,
    *,
    final: frozenset[int] = frozenset(),
) -> Answer:
    url = await call.url("blobs/uploads/", **(query or {}))
    return await call.ask("POST", url, what, headers={"Content-Length": "0"}, final=final)


def _opened(call: Call, what: str, answer: Answer) -> UploadSession:
    begun = answer.status == 202 or (answer.status in (200, 201) and "Location" in answer.headers)
    if not begun:
        raise call.refusal(answer, what)
    call.line.chunking.announced(answer)
    session = UploadSession(call, resolve(answer, call.subject(what), call.line.reach), what)
    session.remember(answer)
    return session


def _with_digest(location: URL, digest: Digest) -> URL:
    """The address with ``digest=`` added as text: what the registry encoded must not change."""
    text = str(location)
    joint = "&" if "?" in text else "?"
    return URL(f"{text}{joint}digest={digest.algorithm}%3A{digest.hex}", encoded=True)
