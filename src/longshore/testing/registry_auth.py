"""Authentication for registries of tests: basic, or bearer tokens from an endpoint."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiohttp import hdrs, web
from msgspec import Struct

from longshore.registry.server.refusals import Code, Refusal
from longshore.registry.server.routes import Kind, Route, route_of

TOKEN_PATH: Final = "/token"  # noqa: S105 - a path
_READ: Final = frozenset({"GET", "HEAD"})


class Authentication(Protocol):
    """Decides whether a request to the API may pass."""

    def check(self, request: web.Request) -> None:
        """Raise a `Refusal` with a challenge when it may not."""
        ...


class BasicAuth(Struct, kw_only=True):
    """User and password with every request, as a registry behind htpasswd wants it."""

    users: Mapping[str, str]
    realm: str = "longshore test registry"

    def check(self, request: web.Request) -> None:
        if known_user(request, self.users) is None:
            raise Refusal(
                401,
                Code.UNAUTHORIZED,
                "authentication required",
                detail=_rights(_needed(request)),
                headers={hdrs.WWW_AUTHENTICATE: f'Basic realm="{self.realm}"'},
            )


class _Token(Struct, kw_only=True):
    scopes: frozenset[str]
    ends: float


@dataclass(slots=True, kw_only=True)
class TokenAuth:
    """Bearer tokens (distribution's token specification), from `TOKEN_PATH` on the same server.

    A token allows what its scopes name (``repository:NAME:ACTION``) for `expires_in` seconds of
    `clock`. `users` empty: anybody gets what they ask for. `refresh_tokens` are accepted as
    identity tokens by POST (grant_type refresh_token). `denied` holds scopes nobody gets, as
    ``repository:NAME:push``: the token comes, but without them. `public` are the actions that
    those get who name no user. `mint` makes the text of a token from its scopes and `expires_in`;
    a registry that is not ours wants it signed (`registry_tokens.Signer`). `asked` keeps the
    scopes of every request for a token that was granted.
    """

    users: Mapping[str, str] = field(default_factory=dict)
    refresh_tokens: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    public: frozenset[str] = frozenset()
    expires_in: int = 300
    service: str = "longshore.test"
    clock: Callable[[], float] = time.monotonic
    mint: Callable[[frozenset[str], int], str] = field(default=lambda *_: secrets.token_urlsafe(24))
    issued: dict[str, _Token] = field(default_factory=dict, init=False)
    asked: list[list[str]] = field(default_factory=list, init=False)

    def check(self, request: web.Request) -> None:
        kind, _, text = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        token = self.issued.get(text) if kind.lower() == "bearer" else None
        needed = _needed(request)
        if token is None or token.ends <= self.clock():
            raise self._challenge(request, needed, "invalid_token" if text else "")
        if not needed <= token.scopes:
            raise self._challenge(request, needed, "insufficient_scope")

    def expire_all(self) -> None:
        """End all tokens given out so far."""
        self.issued.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The token endpoint: GET with basic authentication, or POST as OAuth 2 does it."""
        form = await request.post() if request.method == hdrs.METH_POST else None
        values = request.query if form is None else form
        known = self._knows(request) if form is None else self._grants(form)
        public = form is None and hdrs.AUTHORIZATION not in request.headers and self.public
        if self.users and not known and not public:
            return Refusal(401, Code.UNAUTHORIZED, "incorrect username or password").answer()
        # A GET repeats `scope`, a POST separates by blanks; both are read the same.
        asked = [s for text in values.getall("scope", []) for s in str(text).split()]
        self.asked.append(asked)
        scopes = frozenset(single for scope in asked for single in _singles(scope)) - self.denied
        if self.users and not known:
            scopes = frozenset(one for one in scopes if one.rpartition(":")[2] in self.public)
        key = "token" if form is None else "access_token"
        return web.json_response({key: self._issue(scopes), "expires_in": self.expires_in})

    def _knows(self, request: web.Request) -> bool:
        return known_user(request, self.users) is not None

    def _grants(self, form: Mapping[str, object]) -> bool:
        if form.get("grant_type") == "refresh_token":
            return form.get("refresh_token") in self.refresh_tokens
        user, password = form.get("username"), form.get("password")
        return isinstance(user, str) and password == self.users.get(user, object())

    def _issue(self, scopes: frozenset[str]) -> str:
        text = self.mint(scopes, self.expires_in)
        self.issued[text] = _Token(scopes=scopes, ends=self.clock() + self.expires_in)
        return text

    def _challenge(self, request: web.Request, needed: frozenset[str], error: str) -> Refusal:
        realm = f"{request.scheme}://{request.host}{TOKEN_PATH}"
        parts = {"realm": realm, "service": self.service, "scope": _joined(needed), "error": error}
        challenge = ",".join(f'{key}="{value}"' for key, value in parts.items() if value)
        return Refusal(
            401,
            Code.UNAUTHORIZED,
            "authentication required",
            detail=_rights(needed),
            headers={hdrs.WWW_AUTHENTICATE: f"Bearer {challenge}"},
        )


def known_user(request: web.Request, users: Mapping[str, str]) -> str | None:
    """The user of a basic Authorization header, when the password is theirs."""
    kind, _, encoded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user if kind.lower() == "basic" and users.get(user) == password else None


def _needed(request: web.Request) -> frozenset[str]:
    """The scopes a request needs; mounting also reads the repository it mounts from."""
    route = route_of(request.path) or Route(kind=Kind.BASE)
    if route.kind is Kind.CATALOG:
        return frozenset({"registry:catalog:*"})
    if not route.repository:
        return frozenset()
    actions = ["pull"] if request.method in _READ and route.kind is not Kind.UPLOAD else None
    actions = actions or (["delete"] if _deletes(request, route) else ["pull", "push"])
    needed = {f"repository:{route.repository}:{action}" for action in actions}
    source = request.query.get("from") if "mount" in request.query else None
    return frozenset(needed | ({f"repository:{source}:pull"} if source else set()))


def _deletes(request: web.Request, route: Route) -> bool:
    return request.method == hdrs.METH_DELETE and route.kind is not Kind.UPLOAD


def _singles(scope: str) -> list[str]:
    thing, _, actions = scope.rpartition(":")
    return [f"{thing}:{action}" for action in actions.split(",")]


def _rights(needed: frozenset[str]) -> list[dict[str, str]]:
    """The detail of a 401 as distribution gives it."""
    parts = (scope.split(":") for scope in sorted(needed))
    return [{"Type": kind, "Class": "", "Name": name, "Action": do} for kind, name, do in parts]


def _joined(singles: frozenset[str]) -> str:
    """``repository:a:pull repository:a:push`` as ``repository:a:pull,push``."""
    things: dict[str, list[str]] = {}
    for single in sorted(singles):
        thing, _, action = single.rpartition(":")
        things.setdefault(thing, []).append(action)
    return " ".join(f"{thing}:{','.join(actions)}" for thing, actions in things.items())
