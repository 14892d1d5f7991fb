"""Which credential belongs to which registry (spec 5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from longshore.errors import RegistryDenied
from longshore.oci.reference import ImageReference, normalise_registry
from longshore.registry.credentials.dockercfg import Dockercfg, Entries, is_scope, usable_entries
from longshore.registry.hosts import is_loopback
from longshore.secrets.credential import Credential


def ranked(
    keys: Iterable[str], registry: str, repository: str = "", *, scoped: bool = False
) -> tuple[str, ...]:
    """The keys of a file that may be for `repository` of `registry`, the best first.

    That is the longest that is a part of the image's name, as containers-auth.json(5) has it, then
    the registry as it is spelled, the bare host, and others of the host in their order. Those for
    other parts of the registry come last, for docker cuts paths off (P-19); `scoped`: never.
    """
    host = normalise_registry(registry)
    same = [key for key in keys if normalise_registry(key) == host]
    parts = repository.split("/") if repository else []
    scopes = ("/".join((host, *parts[:end])) for end in range(len(parts), 0, -1))
    best = (key for key in (*scopes, registry, host) if key in same)
    others = (key for key in sorted(same, key=is_scope) if not (scoped and is_scope(key)))
    return tuple(dict.fromkeys((*best, *others)))


class CredentialStore(Struct, frozen=True):
    """Credentials of one file; `origin` names it, and `scoped` is as in `ranked`."""

    entries: Entries = ()
    origin: str = ""
    scoped: bool = False

    @classmethod
    def of_dockercfg(cls, file: Dockercfg) -> CredentialStore:
        """The credentials of a file that came from elsewhere (see `usable_entries`)."""
        return cls(usable_entries(file), file.origin)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries there are credentials for, normalised and sorted."""
        return tuple(sorted({normalise_registry(key) for key, _ in self.entries}))

    def find(self, registry: str, repository: str = "") -> Credential | None:
        """The credential for `registry`, a host or whatever the user wrote for one (P-19), and
        `repository` there: the first as `ranked`."""
        found = dict(self.entries)
        keys = ranked(found, registry, repository, scoped=self.scoped)
        return found[keys[0]] if keys else None

    def require(self, registry: str, repository: str = "") -> Credential | None:
        """As `find`, but None only for a registry on this machine, which may need no login.

        Raises RegistryDenied with the hosts there are credentials for (P-20).
        """
        found = self.find(registry, repository)
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

    def by_host(self, images: Iterable[ImageReference] = ()) -> Mapping[str, Credential]:
        """Every credential by normalised host, for a build that needs them all (I-20).

        Builders know hosts alone: the first of the `images` from each has what is for it.
        """
        repositories = {image.registry: image.repository for image in reversed(tuple(images))}
        found = ((host, self.find(host, repositories.get(host, ""))) for host in self.hosts)
        return {host: credential for host, credential in found if credential is not None}
