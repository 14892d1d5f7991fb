"""How registries are reached, for every command that does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from longshore.environment import Environment
from longshore.errors import UsageError

if TYPE_CHECKING:
    from longshore.registry.client import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOptions:
    """How registries are reached: authorities (PEM files) to trust, hosts without proper TLS."""

    authorities: tuple[Path, ...] = ()
    insecure: tuple[str, ...] = ()

    def access(self, environment: Environment) -> Access:
        """For `RegistryClient`; raises UsageError when an authority cannot be read."""
        from longshore.registry.client import Access

        for path in self.authorities:
            if not path.is_file():
                raise UsageError(f"there is no file {path}", hint="see --registry-ca")
        return Access(environment=environment, insecure=self.insecure, authorities=self.authorities)
