"""What an engine is asked for, and what it answers: frozen values, no engine's own JSON."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field

from longshore.secrets.credential import Credential


class EngineInfo(Struct, frozen=True, kw_only=True):
    """Who answers: `cpus` bounds parallel steps (spec Q-36).

    `data_root` is a path of the engine's machine, which is this one when it is `local`; None where
    the engine does not tell.
    """

    name: str
    version: str
    architecture: str
    cpus: int
    endpoint: str
    local: bool
    storage_driver: str
    data_root: Path | None
    containerd_store: bool


class Mount(Struct, frozen=True, kw_only=True):
    """A host directory or an anonymous volume (`host` None) at `container`.

    `bare`: the host directory has to be there already, and what is mounted below it is left out.
    `modes`: what else Docker takes behind the second colon of a bind, as written: ``z`` and ``Z``
    (SELinux labels), propagation, consistency.
    """

    host: str | None
    container: str
    read_only: bool = False
    bare: bool = False
    modes: tuple[str, ...] = ()


class NetworkAttachment(Struct, frozen=True, kw_only=True):
    """A network by id, and the names the container answers to in it (spec S-33, Q-34)."""

    network: str
    aliases: tuple[str, ...] = ()


class Limits(Struct, frozen=True, kw_only=True):
    """Compose settings that restrict or widen a container (spec S-19); sizes in bytes."""

    user: str | None = None
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    shm_size: int | None = None
    mem_limit: int | None = None
    cpu_shares: int | None = None
    read_only: bool = False


class ContainerSpec(Struct, frozen=True, kw_only=True):
    """One container to create.

    `entrypoint` None keeps the image's, ``()`` clears it; setting it drops the image's command
    (spec S-15). `network` None is the engine's default network. `keep_log` False keeps the engine
    from storing output that we read ourselves. `environment` may hold secrets and is not shown.
    `ports` are ``host:container`` or ``container``, TCP unless ``/udp`` follows, and published only
    when given.
    `terminal_size` is rows and columns of a `tty`; engines that start it without have
    `Engine.resize`.
    """

    name: str
    image: str
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    working_dir: str | None = None
    hostname: str | None = None
    mounts: tuple[Mount, ...] = ()
    volumes_from: tuple[str, ...] = ()
    network: NetworkAttachment | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    ports: tuple[str, ...] = ()
    tty: bool = False
    terminal_size: tuple[int, int] | None = None
    stdin: bool = False
    keep_log: bool = False

    def __repr__(self) -> str:
        return f"ContainerSpec(name={self.name!r}, image={self.image!r})"


class BuildSpec(Struct, frozen=True, kw_only=True):
    """One image to build. Paths are absolute; `dockerfile` may lie outside `context` (spec S-5).

    `tags` are names the result gets. `credentials` are by registry host, for private base images
    (I-20). Argument values are never shown (I-19). `secrets` are BuildKit secrets by id.
    `cache_from` are names (or ids) of images whose layers may be used. The result, or all its
    stages where `Engine.keeps_cache`, is to be found under `cache_to` by later builds.
    `from_engine`: it builds on images that only the engine has, such as those of other services.
    """

    context: Path
    dockerfile: Path
    tags: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    cache_from: tuple[str, ...] = ()
    cache_to: str | None = None
    from_engine: bool = False
    pull: bool = False
    no_cache: bool = False

    def __repr__(self) -> str:
        return f"BuildSpec(context={str(self.context)!r}, tags={self.tags!r})"


class ImageInfo(Struct, frozen=True, kw_only=True):
    """An image the engine has; `diff_ids` in layer order, as ``sha256:…`` texts.

    `directories`: where the engine keeps the files of each layer, in the same order; none where it
    does not say.
    """

    id: str
    environment: tuple[tuple[str, str], ...]
    exposed_ports: tuple[str, ...]
    volumes: tuple[str, ...]
    diff_ids: tuple[str, ...]
    repo_digests: tuple[str, ...]
    size: int
    created: str
    directories: tuple[str, ...] = ()


class Exit(Struct, frozen=True, kw_only=True):
    """How a container ended; `stopped`: somebody asked the engine for it, as `witness` saw."""

    code: int
    out_of_memory: bool = False
    stopped: bool = False


class Health(StrEnum):
    """A container's health as the engine tells it; NONE: it has no check; GONE: it has ended."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    GONE = "gone"


class ResourceKind(StrEnum):
    """What a run may leave behind.

    Not images: a label to find them by would be in what is pushed, and in all that others build
    from it, so that it tells of nothing that it was made here.
    """

    CONTAINER = "container"
    NETWORK = "network"
    VOLUME = "volume"


class Resource(Struct, frozen=True, kw_only=True):
    """A labelled thing on the engine; containers keep the engine's leading slash (spec C-18)."""

    kind: ResourceKind
    id: str
    name: str
    labels: Mapping[str, str]


class OutputChunk(Struct, frozen=True, kw_only=True):
    """Bytes a container wrote: `stream` is 1 (stdout) or 2 (stderr); a tty has only 1."""

    stream: int
    data: bytes
