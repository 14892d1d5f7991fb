"""Who we are to one registry."""

from __future__ import annotations

from msgspec import Struct

from longshore.secrets.secret import Secret


class Credential(Struct, frozen=True, kw_only=True):
    """A user and password, or an identity token (spec P-26). `origin` says where it came from."""

    username: str = ""
    password: Secret | None = None
    identity_token: Secret | None = None
    origin: str = ""
