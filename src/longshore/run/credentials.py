"""Registry credentials of a run: which source is in force, read or generated when needed.

The first place that names credentials decides (S-53, P-6): for pulls and builds the service, then
the step and its groups; for pushes the step first; then the command line; then the user's own
docker configuration.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from longshore.config.credential_keys import CredentialKeys
from longshore.environment import Environment
from longshore.errors import RegistryError
from longshore.oci.reference import ImageReference
from longshore.registry.credentials.dockercfg import Dockercfg, parse_dockercfg
from longshore.registry.credentials.store import CredentialStore
from longshore.registry.once import Once
from longshore.run.files import ProjectFiles, read_project_file
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret

if TYPE_CHECKING:
    from longshore.plan.model import Plan, PushStep
    from longshore.registry.credentials.user_config import UserCredentials

Chain = tuple[CredentialKeys, ...]
"""Places that may name credentials, the strongest first."""

Generate = Callable[[str], Awaitable[bytes]]
"""Runs a generator service and returns the file it wrote (P-30)."""

GENERATED_FOR = 600.0
"""Seconds for which generated credentials are used again in a run (P-31)."""


class CredentialOptions(Struct, frozen=True, kw_only=True):
    """The command line's own credential keys, and whether the user's login counts (S-53)."""

    flags: CredentialKeys = field(default_factory=CredentialKeys)
    user_login: bool = True


class Credentials(Struct):
    """The credentials of one run; each source is read once, and generated ones age.

    With `generated` False generators do not count: for the images they are started from (P-34).
    """

    directory: Path
    environment: Environment
    files: ProjectFiles
    options: CredentialOptions
    generate: Generate
    clock: Callable[[], float] = time.monotonic
    _files: dict[CredentialKeys, CredentialStore] = field(default_factory=dict)
    _read: Once[str, CredentialStore] = field(default_factory=lambda: Once(share_failures=True))
    _generated_at: dict[str, float] = field(default_factory=dict)

    async def for_build(
        self, chain: Chain, images: Iterable[ImageReference], *, generated: bool = True
    ) -> Mapping[str, Credential]:
        """By registry host: all of a credentials file (I-20), or the user's for the base `images`;
        of several for one host that of the first image."""
        store = await self._store(chain, generated=generated)
        if store is not None:
            return store.by_host(images)
        found: dict[str, Credential] = {}
        for image in {image.name: image for image in images}.values():
            if image.registry not in found and (credential := await self._if_any(image)):
                found[image.registry] = credential
        return found

    async def for_pull(
        self, chain: Chain, image: ImageReference, *, generated: bool = True
    ) -> Credential | None:
        """The credential for `image`, or None: public images need none."""
        store = await self._store(chain, generated=generated)
        if store is None:
            return await self._if_any(image)
        return store.find(image.registry, image.repository)

    async def for_push(
        self, chain: Chain, target: ImageReference, registry: str = ""
    ) -> Credential | None:
        """The credential for `target`, whose host may be spelled `registry`; raises RegistryDenied
        naming what there is (P-20)."""
        store = await self._store(chain)
        if store is None:
            return await self._of_user(target)
        return store.require(registry or target.registry, target.repository)

    def source(self, chain: Chain, *, generated: bool = True) -> CredentialKeys:
        """The place that decides; empty: the user's own login does."""
        for keys in (*chain, self.options.flags):
            if keys and (generated or not keys.generator):
                return keys
        return CredentialKeys()

    def of_file(self, keys: CredentialKeys) -> CredentialStore | None:
        """What is in the file that `keys` name; None: a generator makes it, or they name nothing.

        Raises `SecretError` or InvalidValue.
        """
        if keys not in self._files and (file := self._content(keys)) is not None:
            self._files[keys] = self._parsed(*file)
        return self._files.get(keys)

    def _content(self, keys: CredentialKeys) -> tuple[bytes, str] | None:
        """The encrypted file, where both are named."""
        if (path := keys.encrypted_dockercfg_path) is not None:
            return self.files.decrypted(self.directory / path, "encrypted_dockercfg_path"), path
        if (path := keys.dockercfg_path) is not None:
            return read_project_file(self.directory / path, "dockercfg_path"), path
        return None

    async def _store(self, chain: Chain, *, generated: bool = True) -> CredentialStore | None:
        keys = self.source(chain, generated=generated)
        if (store := self.of_file(keys)) is not None:
            return store
        service = keys.generator
        return None if service is None else await self._of_generator(service)

    async def _of_generator(self, service: str) -> CredentialStore:
        """Generated now, or not longer ago than `GENERATED_FOR`."""
        made = self._generated_at.get(service)
        if made is not None and self.clock() - made >= GENERATED_FOR:
            del self._generated_at[service]
            self._read.forget(service)
        return await self._read.get(service, lambda: self._generated(service))

    async def _generated(self, service: str) -> CredentialStore:
        content = await self.generate(service)
        store = self._parsed(content, f'the file of service "{service}"')
        self._generated_at[service] = self.clock()
        return store

    def _parsed(self, content: bytes, origin: str) -> CredentialStore:
        file = parse_dockercfg(content, origin=origin)
        self._mask(file)
        self.files.tell(file.warnings)
        return CredentialStore.of_dockercfg(file)

    def _mask(self, file: Dockercfg) -> None:
        for host, credential in file.entries:
            self.mask(host, credential)

    def mask(self, host: str, credential: Credential) -> None:
        """Hide a credential from all output, also as the ``auth`` value of a credentials file."""
        for secret in (credential.password, credential.identity_token):
            if secret:
                self.files.masker.add(f"the password for {host}", secret)
                both = f"{credential.username}:{secret.reveal()}"
                self.files.masker.add(f"the login for {host}", Secret(both))

    async def _if_any(self, image: ImageReference) -> Credential | None:
        """Most images are public: a helper of the user's that fails is no reason to stop."""
        try:
            return await self._of_user(image)
        except RegistryError as error:
            self.files.tell([f"{error.message}; pulling from {image.registry} without credentials"])
            return None

    def of_user(self) -> UserCredentials | None:
        """The user's own logins, no helper asked; None: they do not count.

        Raises InvalidValue when they cannot be understood.
        """
        if not self.options.user_login:
            return None
        from longshore.registry.credentials.user_config import UserCredentials

        return UserCredentials.load(self.environment)

    async def _of_user(self, image: ImageReference) -> Credential | None:
        if (user := self.of_user()) is None:
            return None
        found = await user.find(image.registry, image.repository)
        if found is not None:
            self.mask(image.registry, found)
        return found


def push_chain(plan: Plan, step: PushStep) -> Chain:
    """Where a push step's credentials may come from: the step and its groups, then the service."""
    own = plan.services[step.service].credentials
    return (*step.credentials, own) if own else step.credentials
