"""What steps, run, load and login-check are started with."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from longshore.commands.registry_options import RegistryOptions
from longshore.config.credential_keys import CredentialKeys
from longshore.config.model import Pairs
from longshore.environment import Environment
from longshore.run.credentials import CredentialOptions
from longshore.run.image_cache import CachePlace
from longshore.run.images import ImageOptions
from longshore.run.push.settings import PushSettings
from longshore.run.runtime import RunOptions


class SessionOptions(Struct, frozen=True, kw_only=True):
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
