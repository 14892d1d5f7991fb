"""Which credential belongs to which registry (spec 5.4)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from longshore.errors import RegistryDenied
from longshore.oci.reference import normalise_registry
from longshore.registry.credentials.dockercfg import Dockercfg, Entries, usable_entries
from longshore.registry.hosts import is_loopback
from longshore.secrets.credential import Credential


class CredentialStore(Struct, frozen=True):
    """Credentials of one file; `origin` names it."""

    entries: Entries = ()
    origin: str = ""

    @classmethod
    def of_dockercfg(cls, file: Dockercfg) -> CredentialStore:
        """The credentials of a file that came from elsewhere (see `usable_entries`)."""
        return cls(usable_entries(file), file.origin)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries there are credentials for, normalised and sorted."""
        return tuple(sorted({normalise_registry(key) for key, _ in self.entries}))

    def find(self, registry: str) -> Credential | None:
        """The credential for `registry`, a host or whatever the user wrote for one (P-19).

        Of several that mean the same host, the one spelled exactly so is taken, else the bare host,
        else the first.
        """
        host = normalise_registry(registry)
        same = [(key, found) for key, found in self.entries if normalise_registry(key) == host]
        exact = [found for spelled in (registry, host) for key, found in same if key == spelled]
        return next(iter([*exact, *(found for _, found in same)]), None)

    def require(self, registry: str) -> Credential | None:
        """As `find`, but None only for a registry on this machine, which may need no login.

        Raises RegistryDenied with the hosts there are credentials for (P-20).
        """
        found = self.find(registry)
        host = normalise_registry(registry)
        if found is None and not is_loopback(host):
            where = f" in {self.origin}" if self.origin else ""
            known = ", ".join(self.hosts) or "no registry at all"
            raise RegistryDenied(
                f"no credentials for {host}{where}, which has credentials for {known}",
                hint=f"add an entry for {host}, or correct `registry` of the push step",
                registry=host,
            )
        return found

    def by_host(self) -> Mapping[str, Credential]:
        """Every credential by normalised host, for a build that needs them all (I-20)."""
        return {host: found for host in self.hosts if (found := self.find(host)) is not None}
