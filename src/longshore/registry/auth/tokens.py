"""Authorization for every request to one registry; tokens are got once and renewed in time."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field
from yarl import URL

from longshore.errors import RegistryDenied, RegistryError
from longshore.registry.auth.challenge import Challenge, parse_challenges
from longshore.registry.auth.flow import Flow, Grant, Refused, TokenRequest, basic, bearer
from longshore.registry.once import Once
from longshore.registry.transport.errors import Interrupted, refusal, tried
from longshore.registry.transport.exchange import (
    Answer,
    Request,
    Sender,
    Subject,
    host_of,
    same_origin,
)
from longshore.registry.transport.redaction import redact
from longshore.registry.transport.redirects import secured
from longshore.registry.transport.retry import Clock
from longshore.registry.transport.scheme import Reach
from longshore.registry.transport.words import registry_words
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret

_MARGIN: Final = 30.0
"""Seconds before its end at which a token is renewed, or a quarter of a shorter life."""

_ASTRAY: Final = frozenset({301, 302, 303, 307, 308, 404, 405, 410})
"""What is answered where no token server is; no redirect takes a password to another host."""


def pull_scope(repository: str) -> str:
    """The scope for reading a repository (distribution ``docs/spec/auth/scope.md``)."""
    return f"repository:{repository}:pull"


def push_scope(repository: str) -> str:
    """The scope for writing a repository."""
    return f"repository:{repository}:pull,push"


class _Kept(Struct, frozen=True):
    """A header value and until when (retry clock) it is to be used."""

    header: Secret
    until: float


class Authorizing(Struct, kw_only=True):
    """Adds Authorization for one registry, and renews it once when an answer is 401.

    `origin` is the registry; requests to any other origin go out as they are. `learn` what the
    first answer said. Raises RegistryDenied when the token server refuses.
    """

    inner: Sender
    registry: str
    reach: Reach
    credential: Credential | None = None
    clock: Clock = field(default_factory=Clock)
    origin: URL | None = None
    _challenges: tuple[Challenge, ...] = ()
    _asked: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    _tokens: Once[tuple[str, ...], _Kept] = field(default_factory=Once)

    def learn(self, origin: URL, greeting: Answer) -> None:
        """Where the registry is, and what it wants to see."""
        self.origin = origin
        if greeting.status == 401:
            self._challenges = parse_challenges(greeting.headers.getall("WWW-Authenticate", ()))

    @property
    def unasked(self) -> Credential | None:
        """The credential, where the registry has not asked for any."""
        return None if self._bearer() or self._accepts_basic() else self.credential

    async def send(self, request: Request) -> Answer:
        """See `Sender.send`."""
        if self.origin is None or not same_origin(self.origin, request.url):
            return await self.inner.send(request)
        header = await self._header(request)
        answer = await self.inner.send(_authorized(request, header))
        if answer.status != 401 or not self._renew(request, answer, header):
            return answer
        if not request.replayable:
            reason = "401 Unauthorized: the token expired"
            raise Interrupted(
                f"{self.registry} refused the token in the middle of {request.subject}",
                reason=reason,
                registry=self.registry,
                repository=request.subject.repository or None,
                status=401,
                hint=tried(self.credential, request.subject),
            )
        return await self.inner.send(_authorized(request, await self._header(request)))

    def _renew(self, request: Request, answer: Answer, used: Secret | None) -> bool:
        """Whether another header than the one refused can be had."""
        if not same_origin(answer.url, request.url):
            return False
        challenges = parse_challenges(answer.headers.getall("WWW-Authenticate", ()))
        self._challenges = challenges or self._challenges
        kept = self._tokens.known(request.scopes)
        if kept is not None and kept.header == used:
            self._tokens.forget(request.scopes)
        if (bearer := self._bearer()) is not None:
            self._widen(request.scopes, bearer.get("scope"))
            return True
        return used is None and self.credential is not None and self._accepts_basic()

    def _widen(self, scopes: tuple[str, ...], wanted: str) -> None:
        """Ask for what the registry names as well, when that is not what we thought; it may be
        several scopes with blanks between (distribution ``docs/spec/auth/token.md``)."""
        if more := [scope for scope in wanted.split() if scope not in scopes]:
            self._asked[scopes] = (*scopes, *more)

    async def _header(self, request: Request) -> Secret | None:
        challenge = self._bearer()
        if challenge is None:
            wanted = self.credential is not None and self._accepts_basic()
            return basic(self.credential) if wanted and self.credential else None
        kept = self._tokens.known(request.scopes)
        if kept is not None and kept.until <= self.clock.now():
            self._tokens.forget(request.scopes)
        kept = await self._tokens.get(request.scopes, lambda: self._obtain(challenge, request))
        return kept.header

    def _bearer(self) -> Challenge | None:
        return next((found for found in self._challenges if found.scheme == "bearer"), None)

    def _accepts_basic(self) -> bool:
        return any(found.scheme == "basic" for found in self._challenges)

    async def _obtain(self, challenge: Challenge, request: Request) -> _Kept:
        realm = self._realm(challenge)
        subject = Subject(
            registry=host_of(realm),
            repository=request.subject.repository,
            what=f"a token for {self.registry}",
        )
        scopes = self._asked.get(request.scopes, request.scopes)
        flow = bearer(challenge.at(realm), scopes, self.credential)
        outcome = await self._drive(flow, subject, request.deadline)
        if isinstance(outcome, Refused):
            raise self._denied(outcome.answer, request.subject)
        margin = min(_MARGIN, outcome.lifetime / 4)
        until = self.clock.now() + outcome.lifetime - margin
        return _Kept(Secret(f"Bearer {outcome.token.reveal()}"), until)

    async def _drive(self, flow: Flow, subject: Subject, deadline: float) -> Grant | Refused:
        """Answer what the flow asks until it returns."""
        question = next(flow)
        while True:
            answer = await self.inner.send(_token_request(question, subject, deadline))
            try:
                question = flow.send(answer)
            except StopIteration as end:
                result: Grant | Refused = end.value
                return result

    def _realm(self, challenge: Challenge) -> URL:
        """The token server; it gets our password, so plain HTTP needs the same permission."""
        text = challenge.get("realm")
        try:
            realm = URL(text)
            realm.host  # noqa: B018 - decoded only when it is asked for, and may raise
        except ValueError:
            realm = URL()
        if self.origin is not None:
            realm = secured(realm, self.origin)
        if realm.scheme not in ("http", "https") or not realm.host:
            raise self._unusable(f"no usable address ({redact(text)})", "tell its owner")
        if realm.scheme == "http" and not self.reach.allows_plain(host_of(realm), self.registry):
            raise self._unusable(
                f"plain HTTP ({redact(realm)})",
                f"to send credentials in plain all the same: --insecure-registry {host_of(realm)}",
            )
        return realm

    def _astray(self, asked: URL) -> str:
        server = redact(asked.with_query(None))
        return (
            f"{self.registry} names {server} as its token server; its owner has to correct that "
            "address"
        )

    def _unusable(self, what: str, hint: str) -> RegistryError:
        return RegistryError(
            f"{self.registry} names a token server with {what}", hint=hint, registry=self.registry
        )

    def _denied(self, answer: Answer, subject: Subject) -> RegistryError:
        if answer.status not in (200, 400, 401, 403, *_ASTRAY):
            return refusal(answer, subject, self.credential)
        # A token under a name that we do not know must not be shown.
        success = None, "there is none in its answer"
        code, detail = success if answer.status == 200 else registry_words(answer.body)
        said = ": ".join(filter(None, (code, detail))) or answer.phrase
        astray = answer.status in _ASTRAY
        return (RegistryError if astray else RegistryDenied)(
            f"{host_of(answer.url)} gave no token for {subject} at {self.registry}: {said}"
            f" (HTTP {answer.phrase})",
            hint=self._astray(answer.url) if astray else tried(self.credential, subject),
            registry=self.registry,
            repository=subject.repository or None,
            status=answer.status,
            code=code,
            detail=detail,
        )


def _authorized(request: Request, header: Secret | None) -> Request:
    return request if header is None else request.with_header("Authorization", header.reveal())


def _token_request(question: TokenRequest, subject: Subject, deadline: float) -> Request:
    headers = {"Accept": "application/json"}
    if question.authorization:
        headers["Authorization"] = question.authorization.reveal()
    body = None
    if question.form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = question.form.reveal().encode()
    return Request(
        method=question.method,
        url=question.url,
        subject=subject,
        headers=headers,
        body=body,
        confidential=True,
        deadline=deadline,
    )
