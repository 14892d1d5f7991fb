"""Services as every step will start them: dependencies ordered, paths absolute (spec section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from longshore.config.credential_keys import CredentialKeys
from longshore.config.model import DependencyEntry, ServiceEntry, ServicesFile
from longshore.engine.spec import Limits, Mount
from longshore.plan.model import Dependency, ImageKey, ServicePlan
from longshore.plan.order import needed_first
from longshore.plan.paths import real_path


def service_plans(file: ServicesFile, images: Mapping[str, ImageKey]) -> dict[str, ServicePlan]:
    """Every service of the file, by name; `images` gives each service's image.

    The file must be free of undefined services and cycles (`longshore.config.check`).
    """
    orders = needed_first({name: _direct(entry) for name, entry in file.services.items()})
    return {
        name: _service_plan(entry, file, images[name], orders[name])
        for name, entry in file.services.items()
    }


def _service_plan(
    entry: ServiceEntry, file: ServicesFile, image: ImageKey, order: tuple[str, ...]
) -> ServicePlan:
    plain = absolute(entry.env_file, file)
    encrypted = absolute(entry.encrypted_env_file, file)
    return ServicePlan(
        name=entry.name,
        image=image,
        command=entry.command,
        entrypoint=entry.entrypoint,
        working_dir=entry.working_dir,
        hostname=entry.hostname,
        environment=entry.environment,
        env_files=plain,
        encrypted_environment=entry.encrypted_environment,
        encrypted_env_files=encrypted,
        file_places={
            path: entry.where(key, number)
            for key, paths in (("env_file", plain), ("encrypted_env_file", encrypted))
            for number, path in enumerate(paths)
        },
        mounts=_mounts(entry, file),
        volumes_from=entry.volumes_from,
        dependencies=dependencies(entry),
        start_order=order,
        add_docker=entry.add_docker,
        ports=entry.ports,
        limits=_limits(entry),
        credentials=absolute_credentials(entry.credentials, file),
        place=entry.place,
    )


def dependencies(entry: ServiceEntry) -> tuple[Dependency, ...]:
    """What a service names in depends_on, links and volumes_from, one entry a service.

    A service linked under two aliases is one container that answers to both (S-31).
    """
    conditions = {d.service: d.condition for d in entry.depends_on}
    aliases: dict[str, list[str]] = {name: [] for name in _direct(entry)}
    for link in entry.links:
        aliases[link.service].append(link.alias)
    return tuple(
        Dependency(
            service=name,
            aliases=tuple(names),
            condition=conditions.get(name, DependencyEntry(service=name).condition),
        )
        for name, names in aliases.items()
    )


def _direct(entry: ServiceEntry) -> dict[str, None]:
    named = [d.service for d in entry.depends_on]
    named += [link.service for link in entry.links]
    named += list(entry.volumes_from)
    return dict.fromkeys(named)


def absolute(paths: tuple[str, ...], file: ServicesFile) -> tuple[Path, ...]:
    """Paths as they are resolved in the services file (F-11)."""
    return tuple(real_path(file.directory / path) for path in paths)


def _mounts(entry: ServiceEntry, file: ServicesFile) -> tuple[Mount, ...]:
    """Host paths are absolute, against the services file's directory (F-11)."""
    return tuple(
        Mount(
            host=None if volume.host is None else str(real_path(file.directory / volume.host)),
            container=volume.container,
            read_only=volume.read_only,
            modes=volume.modes,
        )
        for volume in entry.volumes
    )


def absolute_credentials(keys: CredentialKeys, file: ServicesFile) -> CredentialKeys:
    """A service's credentials file is looked for beside the services file (F-11)."""

    def resolved(path: str | None) -> str | None:
        return None if path is None else str(real_path(file.directory / path))

    return replace(
        keys,
        encrypted_dockercfg_path=resolved(keys.encrypted_dockercfg_path),
        dockercfg_path=resolved(keys.dockercfg_path),
    )


def _limits(entry: ServiceEntry) -> Limits:
    return Limits(
        user=entry.user,
        cap_add=entry.cap_add,
        cap_drop=entry.cap_drop,
        dns=entry.dns,
        dns_search=entry.dns_search,
        extra_hosts=entry.extra_hosts,
        security_opt=entry.security_opt,
        shm_size=entry.shm_size,
        mem_limit=entry.mem_limit,
        cpu_shares=entry.cpu_shares,
        read_only=entry.read_only,
    )
