"""The keys of credentials, apart from the model: a push without a project knows them, too."""

from __future__ import annotations

from msgspec import Struct


class CredentialKeys(Struct, frozen=True, kw_only=True):
    """The keys that name registry credentials, wherever they may stand (spec S-52, 5.1)."""

    encrypted_dockercfg_path: str | None = None
    dockercfg_service: str | None = None
    dockercfg_path: str | None = None

    @property
    def generator(self) -> str | None:
        """The service that makes the credentials, where no file is named beside it (S-52)."""
        in_file = self.encrypted_dockercfg_path or self.dockercfg_path
        return None if in_file else self.dockercfg_service

    def __bool__(self) -> bool:
        return bool(self.encrypted_dockercfg_path or self.dockercfg_service or self.dockercfg_path)
