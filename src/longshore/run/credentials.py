"""Registry credentials of a run: which source is in force, read or generated when needed.

The first place that names credentials decides (S-53, P-6): for pulls and builds the service, then
the step and its groups; for pushes the step first; then the command line; then the user's own
docker configuration.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from longshore.config.model import CredentialKeys
from longshore.environment import Environment
from longshore.errors import InvalidValue
from longshore.oci.reference import normalise_registry
from longshore.registry.credentials.dockercfg import Dockercfg, parse_dockercfg
from longshore.registry.credentials.store import CredentialStore
from longshore.run.files import ProjectFiles
from longshore.run.once import OncePerKey
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret

Chain = tuple[CredentialKeys, ...]
"""Places that may name credentials, the strongest first."""

Generate = Callable[[str], Awaitable[bytes]]
"""Runs a generator service and returns the file it wrote (P-30)."""

GENERATED_FOR = 600.0
"""Seconds for which generated credentials are used again in a run (P-31)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialOptions:
    """The command line's own credential keys, and whether the user's login counts (S-53)."""

    flags: CredentialKeys = field(default_factory=CredentialKeys)
    user_login: bool = True


@dataclass(slots=True)
class Credentials:
    """The credentials of one run; each source is read once, and generated ones age."""

    directory: Path
    environment: Environment
    files: ProjectFiles
    options: CredentialOptions
    generate: Generate
    _read: OncePerKey[CredentialStore] = field(default_factory=OncePerKey)

    async def everything(self, chain: Chain) -> Mapping[str, Credential]:
        """All credentials by registry host, as a build needs them (I-20)."""
        store = await self._store(chain)
        return {} if store is None else store.by_host()

    async def for_pull(self, chain: Chain, host: str) -> Credential | None:
        """The credential for `host`, or None: public images need none."""
        store = await self._store(chain)
        return await self._of_user(host) if store is None else store.find(host)

    async def for_push(self, chain: Chain, host: str) -> Credential | None:
        """The credential for `host`; raises RegistryDenied naming what there is (P-20)."""
        store = await self._store(chain)
        return await self._of_user(host) if store is None else store.require(host)

    async def _store(self, chain: Chain) -> CredentialStore | None:
        keys = next((keys for keys in (*chain, self.options.flags) if keys), None)
        if keys is None:
            return None
        path = keys.encrypted_dockercfg_path
        if path is not None:
            return await self._read.get(path, lambda: self._encrypted(path))
        service = keys.dockercfg_service
        if service is not None:
            age = int(time.monotonic() // GENERATED_FOR)
            return await self._read.get(f"{service}@{age}", lambda: self._generated(service))
        plain = keys.dockercfg_path or ""
        return await self._read.get(plain, lambda: self._plain(plain))

    async def _encrypted(self, path: str) -> CredentialStore:
        text = self.files.decrypted(self.directory / path, "encrypted_dockercfg_path")
        return self._parsed(text.encode(), path)

    async def _plain(self, path: str) -> CredentialStore:
        try:
            content = (self.directory / path).read_bytes()
        except OSError as error:
            raise InvalidValue(f"cannot read dockercfg_path {path}: {error.strerror}") from error
        return self._parsed(content, path)

    async def _generated(self, service: str) -> CredentialStore:
        return self._parsed(await self.generate(service), f'the file of service "{service}"')

    def _parsed(self, content: bytes, origin: str) -> CredentialStore:
        file = parse_dockercfg(content, origin=origin)
        self._mask(file)
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

    async def _of_user(self, host: str) -> Credential | None:
        if not self.options.user_login:
            return None
        from longshore.registry.credentials.user_config import UserCredentials

        found = await UserCredentials.load(self.environment).find(normalise_registry(host))
        if found is not None:
            self.mask(host, found)
        return found
