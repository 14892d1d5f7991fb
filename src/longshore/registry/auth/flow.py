"""The token handshake as a generator: it yields requests and is sent answers; no I/O here.

Docker's token authentication (distribution ``docs/spec/auth/token.md``, ``oauth.md``): a GET with
Basic credentials or none, or a POST with an identity (refresh) token.
"""

from __future__ import annotations

import base64
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct
from yarl import URL

from longshore.registry.auth.challenge import Challenge
from longshore.registry.transport.dates import http_date
from longshore.registry.transport.exchange import Answer
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret

CLIENT_ID: Final = "longshore"
_YEAR: Final = 365 * 24 * 3600
_SHORTEST_LIFE: Final = 60.0
"""What the specification lets us assume when ``expires_in`` is missing."""
_NO_SUCH_METHOD: Final = frozenset({404, 405})


class TokenRequest(Struct, frozen=True, kw_only=True):
    """What to ask the token server; `form` is the body of a POST."""

    url: URL
    authorization: Secret | None = None
    form: Secret | None = None

    @property
    def method(self) -> str:
        """GET, or POST when there is a form."""
        return "POST" if self.form else "GET"


class Grant(Struct, frozen=True, kw_only=True):
    """A bearer token; `lifetime` in seconds from the moment the answer came."""

    token: Secret
    lifetime: float


class Refused(Struct, frozen=True, kw_only=True):
    """The token server did not give a token."""

    answer: Answer


Flow = Generator[TokenRequest, Answer, Grant | Refused]


def basic(credential: Credential) -> Secret:
    """The value of an Authorization header for Basic (RFC 7617)."""
    password = credential.password.reveal() if credential.password else ""
    pair = f"{credential.username}:{password}".encode()
    return Secret(f"Basic {base64.b64encode(pair).decode()}")


def bearer(challenge: Challenge, scopes: tuple[str, ...], credential: Credential | None) -> Flow:
    """Get a token for `scopes`, the pushed repository's first: some servers read only that one.

    `credential` None: ask anonymously.
    """
    realm = URL(challenge.get("realm"))
    service = challenge.get("service")
    if credential is not None and credential.identity_token:
        answer = yield _refresh(realm, service, scopes, credential.identity_token)
        return _grant(answer)
    answer = yield _get(realm, service, scopes, credential)
    if answer.status in _NO_SUCH_METHOD and credential is not None:
        answer = yield _password(realm, service, scopes, credential)
    return _grant(answer)


def _get(
    realm: URL, service: str, scopes: tuple[str, ...], credential: Credential | None
) -> TokenRequest:
    query = [("service", service)] if service else []
    query += [("scope", scope) for scope in scopes]
    if credential is None:
        return TokenRequest(url=realm.extend_query(query))
    query.append(("account", credential.username))
    return TokenRequest(url=realm.extend_query(query), authorization=basic(credential))


def _refresh(
    realm: URL, service: str, scopes: tuple[str, ...], identity_token: Secret
) -> TokenRequest:
    form = {"grant_type": "refresh_token", "refresh_token": identity_token.reveal()}
    return _post(realm, service, scopes, form)


def _password(
    realm: URL, service: str, scopes: tuple[str, ...], credential: Credential
) -> TokenRequest:
    password = credential.password.reveal() if credential.password else ""
    form = {"grant_type": "password", "username": credential.username, "password": password}
    return _post(realm, service, scopes, form)


def _post(realm: URL, service: str, scopes: tuple[str, ...], form: dict[str, str]) -> TokenRequest:
    common = {"service": service, "client_id": CLIENT_ID, "scope": " ".join(scopes)}
    return TokenRequest(url=realm, form=Secret(urlencode({**common, **form})))


def _grant(answer: Answer) -> Grant | Refused:
    document = answer.json()
    if answer.status != 200 or not isinstance(document, dict):
        return Refused(answer=answer)
    token = document.get("token") or document.get("access_token")
    if not isinstance(token, str) or not token or not token.isprintable():
        return Refused(answer=answer)
    return Grant(token=Secret(token), lifetime=_lifetime(document, answer))


def _lifetime(document: dict[str, object], answer: Answer) -> float:
    """Seconds left by ``expires_in`` and ``issued_at``.

    How old the token is already is told by the server's own clock (its Date header), so that a
    wrong clock here changes nothing. Nobody gives out a token that has ended: such an age is none,
    as is the year 1, which programs in Go write of a time that was not set.
    """
    expires_in = document.get("expires_in")
    told = float(min(expires_in, _YEAR)) if isinstance(expires_in, int | float) else 0.0
    # Docker's own token server says 60 s at least; 0 and nonsense mean "not told".
    life = told if told > 0 else _SHORTEST_LIFE
    age = _age(document.get("issued_at"), answer.headers.get("Date"))
    return life - age if age < life else life


def _age(issued_at: object, date: str | None) -> float:
    answered = http_date(date)
    if not isinstance(issued_at, str) or answered is None:
        return 0.0
    try:
        issued = datetime.fromisoformat(issued_at)
    except ValueError:
        return 0.0
    issued = issued if issued.tzinfo else issued.replace(tzinfo=UTC)
    return max(0.0, (answered - issued).total_seconds())
