"""Following the registry to other places, without taking secrets along."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace
from yarl import URL

from longshore.errors import RegistryError, RegistryUnavailable
from longshore.registry.transport.errors import Interrupted
from longshore.registry.transport.exchange import (
    Answer,
    Request,
    Sender,
    Subject,
    host_of,
    same_origin,
)
from longshore.registry.transport.redaction import redact
from longshore.registry.transport.scheme import Reach

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEPING_METHOD: Final = frozenset({307, 308})
FOR_NOW: Final = frozenset({302, 303, 307})
_MOST: Final = 5
_SOON: Final = 10.0
"""Seconds; a firewall that swallows connections would have us wait for half a minute."""
_SECRET_HEADERS: Final = ("Authorization", "Cookie", "Proxy-Authorization")


def resolve(answer: Answer, subject: Subject, reach: Reach) -> URL:
    """Where the Location of `answer` points, kept exactly as the registry encoded it.

    One to plain HTTP on the host that answered by HTTPS is taken for HTTPS: a proxy before the
    registry ends TLS, and the registry does not know; and one without the port that was asked as
    one with it (see `_at_its_port`). Raises RegistryError when it is missing, is no HTTP address,
    or leads to plain HTTP on another host that may not be reached that way.
    """
    location = answer.headers.get("Location", "")
    if not location:
        raise _misled(subject, "no Location")
    target = _pointed_to(answer, location)
    if target.scheme not in ("http", "https") or not target.host:
        raise _misled(subject, f"no usable Location ({redact(location)})")
    named_by = host_of(answer.url)
    if target.scheme == "http" and not reach.allows_plain(host_of(target), named_by):
        raise _misled(subject, f"a Location over plain HTTP ({redact(target)})")
    return target.with_fragment(None)


def _pointed_to(answer: Answer, location: str) -> URL:
    """The address that `location` means; an empty one where it is none."""
    try:
        target = answer.url.join(URL(location, encoded=True))
        # Parsed only when they are asked for.
        target.port, target.host  # noqa: B018 - raise
    except ValueError:
        return URL()
    return _at_its_port(secured(target, answer.url), answer.url)


def secured(target: URL, asked: URL) -> URL:
    """A plain address on the very host that was `asked` by HTTPS, as it must be reached too."""
    behind = target.scheme == "http" and asked.scheme == "https" and target.host == asked.host
    if not behind or target.port not in (80, asked.port):
        return target
    return target.with_scheme("https").with_port(asked.explicit_port)


def _at_its_port(target: URL, asked: URL) -> URL:
    """An address in the API of the very host that was `asked` at another port than the usual, which
    proxies drop when they tell a registry its name (distribution/distribution#2862)."""
    same = (target.scheme, target.host) == (asked.scheme, asked.host)
    lost = target.explicit_port is None and not asked.is_default_port()
    in_api = target.raw_path.startswith("/v2/")
    return target.with_port(asked.explicit_port) if same and lost and in_api else target


def _misled(subject: Subject, what: str) -> RegistryError:
    return RegistryError(
        f"{subject.registry} answered for {subject} with {what}",
        hint="a proxy before the registry may rewrite addresses wrongly (X-Forwarded-Proto, Host)",
        registry=subject.registry,
        repository=subject.repository or None,
    )


def follow(request: Request, answer: Answer, reach: Reach) -> Request | None:
    """The request to send next because of `answer`; None when it stays as it is.

    On another origin Authorization and cookies stay behind, and a confidential body does not go.
    A method other than GET and HEAD is only repeated for 307 and 308, and only when its body can
    be sent again (RFC 9110, 15.4).
    """
    if answer.status not in _REDIRECTS:
        return None
    reading = request.method in ("GET", "HEAD")
    if not reading and not (answer.status in _KEEPING_METHOD and request.replayable):
        return None
    target = resolve(answer, request.subject, reach)
    moved = replace(request, url=target)
    if same_origin(request.url, target):
        return moved
    return None if request.confidential else moved.without_header(*_SECRET_HEADERS)


def _is_kept_elsewhere(answer: Answer) -> bool:
    """Whether we may go there is not asked: that we are sent there says already that it is."""
    if answer.status not in FOR_NOW:
        return False
    target = _pointed_to(answer, answer.headers.get("Location", ""))
    return bool(target.scheme) and not same_origin(answer.url, target)


def _looks(request: Request) -> bool:
    """For what is there, or into it."""
    return request.method == "HEAD" or request.keep_open


class Redirecting:
    """Follows redirects, at most five in a row.

    Where a registry sends us for a blob for now, to an object store of its own, may be out of our
    reach (distribution/distribution#1300). That is found out once, and soon: from then on to a
    question (HEAD) the redirect itself is the answer, and reading fails at once.
    """

    def __init__(self, inner: Sender, reach: Reach) -> None:
        self._inner = inner
        self._reach = reach
        self._reached: set[str] = set()
        self._out_of_reach: set[str] = set()

    async def send(self, request: Request) -> Answer:
        """See `Sender.send`."""
        current, pointer = request, None
        for _ in range(_MOST):
            try:
                answer = await (self._inner.send if pointer is None else self._there)(current)
                if _looks(request) and _is_kept_elsewhere(answer):
                    pointer = pointer or answer
                following = follow(current, answer, self._reach)
            except RegistryError:
                if pointer is None or request.method != "HEAD":
                    raise
                return pointer
            if following is None:
                return answer
            current = following
        raise _misled(request.subject, f"more than {_MOST} redirects")

    async def _there(self, request: Request) -> Answer:
        """Asked once, in no long time, of a host that is not the registry."""
        host = host_of(request.url)
        if host in self._out_of_reach:
            raise RegistryUnavailable(
                f"{host}, where {request.subject} is kept, is out of reach",
                registry=request.subject.registry,
                repository=request.subject.repository or None,
            )
        try:
            answer = await self._inner.send(replace(request, once=True, idle=_SOON))
        except Interrupted as error:
            if error.status is None and host not in self._reached:
                self._out_of_reach.add(host)
            raise
        self._reached.add(host)
        return answer
