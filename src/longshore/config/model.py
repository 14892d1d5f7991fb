"""What the two files say, as typed values: no defaults applied, nothing resolved between files.

Every entry knows the places of its parts (`Entry.where`), so that later stages can point at the
word that is wrong. Scalars keep their source text (spec F-16, Q-33); commands are split (T-9).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field

from longshore.config.credential_keys import CredentialKeys
from longshore.config.problem import Place

Pairs = tuple[tuple[str, str | None], ...]
"""``KEY``/value pairs in file order; value None: taken from our own environment (spec S-20)."""


EncryptedValues = tuple[tuple[str, str], ...] | str
"""Encrypted texts by the names they stand under, or one of ``KEY=VALUE`` lines (spec S-23)."""


def one_by_one(values: EncryptedValues) -> Iterator[tuple[EncryptedValues, tuple[str, ...]]]:
    """Each text by itself, and the name it stands under, if it does."""
    if isinstance(values, str):
        yield values, ()
    else:
        yield from (((pair,), pair[:1]) for pair in values)


class Entry(Struct, frozen=True, kw_only=True):
    """A mapping of the user's file: its place, and the places of the values below it."""

    place: Place
    places: Mapping[tuple[str | int, ...], Place] = field(default_factory=dict)

    def where(self, *path: str | int) -> Place:
        """The place of the value at `path` (``where("links", 0)``), else of its nearest parent."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return self.place


class BuildEntry(Entry, frozen=True, kw_only=True):
    """``build:`` of a service (spec S-1 to S-8); `args` values may be templates (I-15)."""

    image: str | None = None
    context: str | None = None
    dockerfile: str | None = None
    args: Pairs = ()
    encrypted_args: str | None = None
    encrypted_args_file: tuple[str, ...] = ()


class VolumeEntry(Struct, frozen=True, kw_only=True):
    """One ``volumes`` item (spec S-37); `host` None: an anonymous volume.

    `modes`: what stands behind the second colon besides ``ro`` and ``rw``.
    """

    host: str | None
    container: str
    read_only: bool = False
    modes: tuple[str, ...] = ()


class Condition(StrEnum):
    """What a dependant waits for (spec S-29, S-34)."""

    DEFAULT = "default"
    STARTED = "service_started"
    HEALTHY = "service_healthy"


class DependencyEntry(Struct, frozen=True, kw_only=True):
    """One ``depends_on`` item."""

    service: str
    condition: Condition = Condition.DEFAULT


class LinkEntry(Struct, frozen=True, kw_only=True):
    """One ``links`` item ``service[:alias]`` (spec S-30, S-31); `alias` defaults to the service."""

    service: str
    alias: str


class ServiceEntry(Entry, frozen=True, kw_only=True):
    """One service (spec section 2). None means: the key is absent."""

    name: str
    build: BuildEntry | None = None
    image: str | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    working_dir: str | None = None
    hostname: str | None = None
    user: str | None = None
    environment: Pairs = ()
    env_file: tuple[str, ...] = ()
    encrypted_environment: EncryptedValues = ()
    encrypted_env_file: tuple[str, ...] = ()
    volumes: tuple[VolumeEntry, ...] = ()
    volumes_from: tuple[str, ...] = ()
    depends_on: tuple[DependencyEntry, ...] = ()
    links: tuple[LinkEntry, ...] = ()
    add_docker: bool = False
    cached: bool = False
    default_cache_branch: str | None = None
    credentials: CredentialKeys = field(default_factory=CredentialKeys)
    ports: tuple[str, ...] = ()
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


class ServicesFile(Struct, frozen=True, kw_only=True):
    """The services file."""

    path: str
    directory: Path
    services: Mapping[str, ServiceEntry]


class GroupKind(StrEnum):
    """The types of groups (spec 4.5, 4.8); MATRIX is the legacy spelling of parallel (Q-3)."""

    SERIAL = "serial"
    PARALLEL = "parallel"
    MANUAL = "manual"
    MATRIX = "matrix"


class StepEntryBase(Entry, frozen=True, kw_only=True):
    """What every step may say; `ordinal` is its place in its list, as users count (``"2.1"``)."""

    ordinal: str
    name: str | None = None
    tag: str | None = None
    exclude: str | None = None
    service: str | None = None
    credentials: CredentialKeys = field(default_factory=CredentialKeys)
    on_fail: tuple[RunEntry, ...] = ()


class RunEntry(StepEntryBase, frozen=True, kw_only=True):
    """A step that runs a command (spec 4.2); `text` is the command as written."""

    command: tuple[str, ...]
    text: str


class PushEntry(StepEntryBase, frozen=True, kw_only=True):
    """A step that pushes an image (spec section 5); `image_tags` are templates, () means latest."""

    image_name: str
    image_tags: tuple[str, ...] = ()
    registry: str | None = None
    eager: bool = False


class GroupEntry(StepEntryBase, frozen=True, kw_only=True):
    """A group of steps (spec 4.5); `services` multiplies the steps (T-24)."""

    kind: GroupKind
    services: tuple[str, ...] = ()
    steps: tuple[StepEntry, ...] = ()


StepEntry = RunEntry | PushEntry | GroupEntry


class StepsFile(Struct, frozen=True, kw_only=True):
    """The steps file: a list of steps (spec F-9)."""

    path: str
    steps: tuple[StepEntry, ...]


class Project(Struct, frozen=True, kw_only=True):
    """Both files of a project; `steps` is None where a command needs no steps (run, load)."""

    directory: Path
    services: ServicesFile
    steps: StepsFile | None
