"""One request, one answer: the values that the chain of senders passes along."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace
from multidict import CIMultiDictProxy
from yarl import URL

Buffer = bytes | bytearray | memoryview


class Subject(Struct, frozen=True, kw_only=True):
    """What an exchange is about, for messages: ``blob sha256:…`` of ``team/app`` at a host."""

    registry: str
    repository: str = ""
    what: str = "the registry's API"

    def __str__(self) -> str:
        of = f" of {self.repository}" if self.repository else ""
        return f"{self.what}{of}"


class Pieces:
    """A body in memory, in pieces that are never joined; may be sent again."""

    __slots__ = ("length", "pieces")

    def __init__(self, pieces: tuple[Buffer, ...]) -> None:
        self.pieces = pieces
        self.length = sum(map(len, pieces))


Body = bytes | Pieces | AsyncIterator[Buffer]


class Request(Struct, frozen=True, kw_only=True):
    """What to ask.

    `scopes` are the token scopes it needs, the pushed repository's first. `confidential`: the body
    holds secrets and stays with its origin. `once`: never repeat it, because only the caller knows
    how to go on. `final`: statuses that are answers here, though asking again might change them.
    `deadline` is a time of the retry clock. `keep_open`: on 200 and 206 leave the
    body in `Answer.content`. `idle`: seconds without a byte moved, None for the session's own.
    """

    method: str
    url: URL
    subject: Subject
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    scopes: tuple[str, ...] = ()
    confidential: bool = False
    once: bool = False
    final: frozenset[int] = frozenset()
    deadline: float = float("inf")
    keep_open: bool = False
    idle: float | None = None

    def __repr__(self) -> str:
        return f"Request(method={self.method!r}, subject={self.subject!r})"

    def with_header(self, name: str, value: str) -> Request:
        """The same with one header more."""
        return replace(self, headers={**self.headers, name: value})

    def without_header(self, *names: str) -> Request:
        """The same without some headers, whatever their case."""
        dropped = {name.lower() for name in names}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        return replace(self, headers=kept)

    @property
    def replayable(self) -> bool:
        """Whether the body can be sent a second time."""
        return self.body is None or isinstance(self.body, bytes | Pieces)


class Content(Protocol):
    """A body that has not been read yet."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Its bytes; raises Interrupted when the connection breaks."""
        ...

    async def aclose(self) -> None:
        """Give the connection back, or close it when bytes are left."""
        ...


class Answer(Struct, frozen=True, kw_only=True):
    """What came back; `body` is cut at `session.BODY_LIMIT`, `url` is who answered."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    url: URL
    content: Content | None = None

    @property
    def phrase(self) -> str:
        """``503 Service Unavailable``."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    def json(self) -> object:
        """The body as JSON, None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Sender(Protocol):
    """A link of the chain."""

    async def send(self, request: Request) -> Answer:
        """Ask and wait for the answer, whatever its status.

        Raises RegistryUnavailable (Interrupted: trying again may help) when none came.
        """
        ...


def origin_of(url: URL) -> tuple[str, str, int | None]:
    """Scheme, host and port (RFC 6454, 4), however they are written: with the port that goes
    without saying, and in any case."""
    return url.scheme, (url.host or "").lower(), url.port


def same_origin(one: URL, other: URL) -> bool:
    """Whether the origins are the same: credentials stay inside that."""
    return origin_of(one) == origin_of(other)


def host_of(url: URL) -> str:
    """Host and port as users write them: no default port, an IPv6 address in brackets."""
    host = url.host or ""
    name = f"[{host}]" if ":" in host else host
    return name if url.is_default_port() or url.port is None else f"{name}:{url.port}"
