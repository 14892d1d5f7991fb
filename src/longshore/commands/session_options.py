"""What steps, run, load and login-check are started with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from longshore.config.model import CredentialKeys, Pairs
from longshore.environment import Environment
from longshore.errors import UsageError
from longshore.run.credentials import CredentialOptions
from longshore.run.image_cache import CachePlace
from longshore.run.images import ImageOptions
from longshore.run.push_settings import PushSettings
from longshore.run.runtime import RunOptions

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """What steps, run and load share: engine, images, limits, secrets, variables."""

    engine: str | None = None
    builder: str = "auto"
    run: RunOptions = field(default_factory=RunOptions)
    images: ImageOptions = field(default_factory=ImageOptions)
    env: Pairs = ()
    key_path: Path | None = None
    credentials: CredentialKeys = field(default_factory=CredentialKeys)
    user_credentials: bool = True
    cache_registry: str | None = None
    cache_branch: str | None = None
    registries: RegistryOptions = field(default_factory=RegistryOptions)
    push: PushSettings = field(default_factory=PushSettings)

    def images_in(self, environment: Environment) -> ImageOptions:
        """How images are made; raises UsageError for a cache registry that is none."""
        repository = self.cache_registry or environment.get("LONGSHORE_CACHE_REGISTRY")
        if repository is None:
            return self.images
        return replace(self.images, cache=CachePlace.at(repository, self.cache_branch))

    @property
    def credential_options(self) -> CredentialOptions:
        """What the command line says of credentials."""
        return CredentialOptions(flags=self.credentials, user_login=self.user_credentials)
