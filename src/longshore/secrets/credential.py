"""Who we are to one registry."""

from __future__ import annotations

from dataclasses import dataclass

from longshore.secrets.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user and password, or an identity token (spec P-26). `origin` says where it came from."""

    username: str = ""
    password: Secret | None = None
    identity_token: Secret | None = None
    origin: str = ""
