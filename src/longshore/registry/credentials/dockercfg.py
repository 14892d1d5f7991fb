"""Credentials files: the old ``.dockercfg`` and docker's ``config.json`` (spec P-26, P-28)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Final, cast

from msgspec import Struct, field

from longshore.errors import InvalidValue
from longshore.registry.credentials.go_json import GoSyntaxError, loads
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret

Entries = tuple[tuple[str, Credential], ...]
"""Registries as the file spells them, in its order, with who we are to them."""

_REGISTRY_MARKS: Final = frozenset(".:/")
_CONFIG_KEYS: Final = frozenset({"auths", "credsStore", "credHelpers", "HttpHeaders"})


class Dockercfg(Struct, frozen=True, kw_only=True):
    """What a credentials file says; `origin` names the file in messages.

    `named` are all registries it mentions, also those without a password. `helpers` and `store`
    are the credential helpers it leaves the passwords to: they exist on one machine only.
    """

    origin: str
    entries: Entries = ()
    named: tuple[str, ...] = ()
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str | None = None
    warnings: tuple[str, ...] = ()


def parse_dockercfg(data: bytes, *, origin: str) -> Dockercfg:
    """Read either form of a credentials file; unknown keys are ignored, as docker does.

    Raises InvalidValue, in Go's words where the syntax is wrong (P-28).
    """
    try:
        document = loads(data.removeprefix(b"\xef\xbb\xbf"))
    except GoSyntaxError as error:
        raise _unparsable(str(error), origin) from None
    top = _mapping(document, "it", origin)
    if _CONFIG_KEYS.isdisjoint(top) and any(_is_entry(*item) for item in top.items()):
        return _with_entries(top, {}, origin)
    return _with_entries(_mapping(top.get("auths") or {}, '"auths"', origin), top, origin)


def is_scope(key: str) -> bool:
    """Whether `podman login` may have written a key for a part of a registry: ``quay.io/team``
    (containers-auth.json(5)). Docker writes hosts, and once wrote addresses of the API."""
    return "/" in key and "://" not in key and not key.endswith("/")


def usable_entries(file: Dockercfg) -> Entries:
    """The entries of a file that came from elsewhere: encrypted, plain or generated (P-26, P-33).

    Raises InvalidValue when it has none because a credential helper keeps them.
    """
    if not file.entries and (file.store or file.helpers):
        names = ", ".join(sorted({*file.helpers.values(), *([file.store] if file.store else [])}))
        raise InvalidValue(
            f"{file.origin} has no passwords: the credential helper {names} of the machine it was "
            "made on keeps them",
            hint="make a file with passwords by `longshore dockercfg --encrypt`, which asks the "
            "helper (there), or let a dockercfg_service make one",
        )
    return file.entries


def render_dockercfg(entries: Iterable[tuple[str, Credential]]) -> bytes:
    """A ``config.json`` with the credentials in it, ready to be encrypted."""
    auths = {registry: _entry_json(credential) for registry, credential in entries}
    return json.dumps({"auths": auths}, indent=2).encode() + b"\n"


def _entry_json(credential: Credential) -> dict[str, str]:
    if credential.identity_token is not None:
        # Docker writes the auth next to the token, with an empty password.
        auth = f"{credential.username or '<token>'}:"
        return {"auth": _base64(auth), "identitytoken": credential.identity_token.reveal()}
    password = credential.password.reveal() if credential.password is not None else ""
    return {"auth": _base64(f"{credential.username}:{password}")}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _with_entries(
    auths: Mapping[str, object], config: Mapping[str, object], origin: str
) -> Dockercfg:
    entries: list[tuple[str, Credential]] = []
    warnings: list[str] = []
    for registry, value in auths.items():
        fields = _mapping(value, f'the entry of "{registry}"', origin)
        credential = _credential({key.lower(): fields[key] for key in fields}, registry, origin)
        if credential is not None:
            entries.append((registry, credential))
        elif "registrytoken" in {key.lower() for key in fields}:
            warnings.append(f'{origin}: the registrytoken of "{registry}" is not supported')
    store, helpers = config.get("credsStore"), config.get("credHelpers")
    return Dockercfg(
        origin=origin,
        entries=tuple(entries),
        named=tuple(auths),
        helpers=_helpers(helpers or {}, origin),
        store=store if isinstance(store, str) and store else None,
        warnings=tuple(warnings),
    )


def _is_entry(key: str, value: object) -> bool:
    """Whether a top-level key names a registry (old form) and not a setting of docker's client."""
    has_auth = isinstance(value, dict) and "auth" in value
    return has_auth or key == "localhost" or not _REGISTRY_MARKS.isdisjoint(key)


def _helpers(value: object, origin: str) -> dict[str, str]:
    helpers = _mapping(value, '"credHelpers"', origin)
    return {host: name for host, name in helpers.items() if isinstance(name, str) and name}


def _credential(fields: Mapping[str, object], registry: str, origin: str) -> Credential | None:
    """One entry, its keys in lower case; docker's rule: `auth` beats user name and password."""
    texts = {key: value for key, value in fields.items() if isinstance(value, str) and value}
    username, password = texts.get("username", ""), texts.get("password")
    if "auth" in texts:
        username, password = _user_and_password(texts["auth"], registry, origin)
    token = texts.get("identitytoken")
    if not token and not password:
        return None
    return Credential(
        username=username,
        password=Secret(password) if password else None,
        identity_token=Secret(token) if token else None,
        origin=f'"{registry}" of {origin}' if is_scope(registry) else origin,
    )


def _user_and_password(auth: str, registry: str, origin: str) -> tuple[str, str]:
    compact = "".join(auth.split()).rstrip("=")
    try:
        raw = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
        username, colon, password = raw.decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        colon = ""
    if not colon:
        raise InvalidValue(
            f'Failed to parse dockercfg: the auth of "{registry}" is not base64 of user:password',
            hint=f"{origin}: make it with `docker login`, or with `longshore dockercfg`",
        )
    # Very old clients padded the password with NULs, and docker still takes them off.
    return username, password.strip("\0")


def _mapping(value: object, what: str, origin: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", float: "a number", bool: "a truth value"}
        found = kind.get(type(value), "null")
        raise _unparsable(f"{what} is {found}, expected an object {{…}}", origin)
    return cast("Mapping[str, object]", value)


def _unparsable(what: str, origin: str) -> InvalidValue:
    return InvalidValue(
        f"Failed to parse dockercfg: {what}",
        hint=f"{origin} is not the JSON of docker's config.json or .dockercfg; "
        "if it was encrypted, the key may be another one",
    )
