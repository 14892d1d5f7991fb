"""How registries are reached, for every command that does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from longshore.environment import Environment
from longshore.errors import InvalidValue, UsageError

if TYPE_CHECKING:
    from longshore.registry.client import Access


class RegistryOptions(Struct, frozen=True, kw_only=True):
    """How registries are reached: authorities (PEM files) to trust, hosts without proper TLS."""

    authorities: tuple[Path, ...] = ()
    insecure: tuple[str, ...] = ()

    def access(self, environment: Environment) -> Access:
        """For `RegistryClient`; raises UsageError for a file that holds no authority."""
        from longshore.registry.client import Access

        self._check()
        return Access(environment=environment, insecure=self.insecure, authorities=self.authorities)

    def _check(self) -> None:
        import ssl

        from longshore.registry.transport.tls import load_authority

        for path in self.authorities:
            try:
                load_authority(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path)
            except InvalidValue as error:
                raise UsageError(f"--registry-ca: {error.message}", hint=error.hint) from error
