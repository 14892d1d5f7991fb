"""The user's own docker configuration: credential helpers, credential store, stored passwords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from longshore.environment import Environment
from longshore.errors import InvalidValue, RegistryError
from longshore.oci.reference import DOCKER_HUB, normalise_registry
from longshore.registry.credentials.credential_helper import CredentialHelper
from longshore.registry.credentials.dockercfg import Dockercfg, Entries, parse_dockercfg
from longshore.registry.credentials.store import CredentialStore, is_local
from longshore.secrets.credential import Credential
from longshore.secrets.key_lookup import KEY_VARIABLES

_VARIABLE: Final = "DOCKER_AUTH_CONFIG"
HUB_KEY: Final = "https://index.docker.io/v1/"
"""Under this key `docker login` keeps Docker Hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCredentials:
    """Who the user of this machine is to registries (S-53, P-27); `environment` goes to helpers
    (without the AES key). `given` comes before all else."""

    config: Dockercfg
    given: Dockercfg = field(default_factory=lambda: Dockercfg(origin=_VARIABLE))
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0

    @classmethod
    def load(cls, environment: Environment) -> UserCredentials:
        """Read ``config.json`` in docker's configuration directory, and the variable that docker
        reads before it; without them there is nothing.

        Raises InvalidValue when one of them cannot be read or understood.
        """
        path = environment.docker_config_directory / "config.json"
        passed_on = {k: v for k, v in environment.values.items() if k not in KEY_VARIABLES}
        text = environment.get(_VARIABLE) or "{}"
        given = parse_dockercfg(text.encode(errors="surrogateescape"), origin=_VARIABLE)
        return cls(config=_read(path), given=given, environment=passed_on)

    async def find(self, registry: str) -> Credential | None:
        """The credential for `registry`: of its own helper, else the store, else the file.

        Raises RegistryError where a helper fails and nothing else is known, unless it is the one
        for all registries and this one is on this machine, where hardly one wants a login.
        """
        if (found := CredentialStore(self.given.entries).find(registry)) is not None:
            return found
        failure: RegistryError | None = None
        host = normalise_registry(registry)
        for helper in self._helpers(host):
            try:
                if (found := await self._of_helper(helper, registry)) is not None:
                    return found
            except RegistryError as error:
                failure = failure or error
        found = CredentialStore(self.config.entries).find(registry)
        wanted = not is_local(host) or bool(self._own_helpers(host))
        if found is None and failure is not None and wanted:
            raise failure
        return found

    async def _of_helper(self, helper: CredentialHelper, registry: str) -> Credential | None:
        for key in self._spellings(registry):
            if (found := await helper.get(key)) is not None:
                return found
        return None

    async def all(self) -> Entries:
        """Every credential that can be found, by the spelling it was stored under, sorted."""
        stored = await self._helper(self.config.store).list() if self.config.store else ()
        named = (*self.given.named, *self.config.named)
        keys = dict.fromkeys((*named, *self.config.helpers, *stored))
        hosts: dict[str, str] = {}
        for key in sorted(keys):
            hosts.setdefault(normalise_registry(key), key)
        found = [(key, await self.find(key)) for key in hosts.values()]
        return tuple((key, credential) for key, credential in found if credential is not None)

    def _own_helpers(self, host: str) -> list[str]:
        helpers = self.config.helpers.items()
        return [name for key, name in helpers if normalise_registry(key) == host]

    def _helpers(self, host: str) -> Iterator[CredentialHelper]:
        yield from map(self._helper, self._own_helpers(host))
        if self.config.store:
            yield self._helper(self.config.store)

    def _helper(self, name: str) -> CredentialHelper:
        return CredentialHelper(name=name, environment=self.environment, timeout=self.timeout)

    def _spellings(self, registry: str) -> tuple[str, ...]:
        """How `docker login` may have spelled it: as the file does, else as docker would."""
        host = normalise_registry(registry)
        written = [key for key in self.config.named if normalise_registry(key) == host]
        usual = [HUB_KEY] if host == DOCKER_HUB else [host, f"https://{host}"]
        return tuple(dict.fromkeys((*written, *usual)))


def _read(path: Path) -> Dockercfg:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Dockercfg(origin=str(path))
    except OSError as error:
        raise InvalidValue(f"cannot read {path}: {error.strerror}") from error
    return parse_dockercfg(content, origin=str(path))
