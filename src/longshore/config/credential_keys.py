"""The keys of credentials, apart from the model: a push without a project knows them, too."""

from __future__ import annotations

from msgspec import Struct


class CredentialKeys(Struct, frozen=True, kw_only=True):
    """The keys that name registry credentials, wherever they may stand (spec S-52, 5.1)."""

    encrypted_dockercfg_path: str | None = None
    dockercfg_service: str | None = None
    dockercfg_path: str | None = None

    def __bool__(self) -> bool:
        return bool(self.encrypted_dockercfg_path or self.dockercfg_service or self.dockercfg_path)
