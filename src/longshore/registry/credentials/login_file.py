"""One file of the user's logins, with the helpers it leaves passwords to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from longshore.errors import RegistryError
from longshore.oci.reference import DOCKER_HUB, HUB_LOGIN, normalise_registry
from longshore.registry.credentials.credential_helper import CredentialHelper
from longshore.registry.credentials.dockercfg import Dockercfg
from longshore.registry.credentials.store import CredentialStore, ranked
from longshore.registry.hosts import is_loopback
from longshore.secrets.credential import Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFile:
    """What `content` knows; helpers are given `environment`, and `timeout` seconds. `scoped` is as
    in `ranked`."""

    content: Dockercfg
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float
    scoped: bool = False

    async def find(
        self, registry: str, repository: str = "", *, wanted: bool = False
    ) -> Credential | None:
        """The credential for `repository` of `registry`: of the registry's own helper, else the
        store, else the file.

        Raises RegistryError where a helper fails and nothing else is known, unless it is the one
        for all registries and this one is on this machine, where hardly one wants a login;
        `wanted`: this one does.
        """
        failure: RegistryError | None = None
        host = normalise_registry(registry)
        for helper in self._helpers(host):
            try:
                for key in self._spellings(registry, repository):
                    if (found := await helper.get(key)) is not None:
                        return found
            except RegistryError as error:
                failure = failure or error
        store = CredentialStore(self.content.entries, scoped=self.scoped)
        found = store.find(registry, repository)
        wanted = wanted or not is_loopback(host) or bool(self._own_helpers(host))
        if found is None and failure is not None and wanted:
            raise failure
        return found

    async def keys(self) -> tuple[str, ...]:
        """The registries it may know, as they were spelled at the login."""
        stored = await self._helper(self.content.store).list() if self.content.store else ()
        return (*self.content.named, *self.content.helpers, *stored)

    def _own_helpers(self, host: str) -> list[str]:
        helpers = self.content.helpers.items()
        return [name for key, name in helpers if normalise_registry(key) == host]

    def _helpers(self, host: str) -> Iterator[CredentialHelper]:
        yield from map(self._helper, self._own_helpers(host))
        if self.content.store:
            yield self._helper(self.content.store)

    def _helper(self, name: str) -> CredentialHelper:
        return CredentialHelper(name=name, environment=self.environment, timeout=self.timeout)

    def _spellings(self, registry: str, repository: str) -> tuple[str, ...]:
        """How `docker login` may have spelled it: as the file does, else as docker would."""
        host = normalise_registry(registry)
        written = ranked(self.content.named, registry, repository, scoped=self.scoped)
        usual = [HUB_LOGIN] if host == DOCKER_HUB else [host, f"https://{host}"]
        return tuple(dict.fromkeys((*written, *usual)))
