"""The plan: everything that will happen, decided before anything starts.

Complete and frozen: names resolved, groups multiplied, templates expanded, skips decided, every
path absolute. Nothing in it points back to the files except `place`, for messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from longshore.config.credential_keys import CredentialKeys
from longshore.config.model import Condition, EncryptedValues, Pairs
from longshore.config.problem import Place, Problem
from longshore.engine.spec import Limits, Mount
from longshore.oci.reference import ImageReference

ImageKey = str
"""Names one image to build or pull; equal builds have equal keys (spec I-6)."""


class BuildPlan(Struct, frozen=True, kw_only=True):
    """An image to build (spec 3). `arguments` are expanded, encrypted ones read when built.

    `file_places`: where each of its files is named. `credentials`: what each service that has the
    image names, also those that name nothing.
    """

    key: ImageKey
    name: ImageReference
    context: Path
    dockerfile: Path
    arguments: tuple[tuple[str, str], ...] = ()
    encrypted_arguments: str | None = None
    encrypted_argument_files: tuple[Path, ...] = ()
    file_places: Mapping[Path, Place] = field(default_factory=dict)
    credentials: Mapping[str, CredentialKeys] = field(default_factory=dict)
    builds_first: tuple[ImageKey, ...] = ()
    cached: bool = False
    cache_branch: str | None = None
    service: str
    place: Place


class PullPlan(Struct, frozen=True, kw_only=True):
    """An image that exists or is pulled (3.4). `built_by`: a sibling builds that name (I-7).

    `credentials`: as of a build.
    """

    key: ImageKey
    name: ImageReference
    built_by: ImageKey | None = None
    credentials: Mapping[str, CredentialKeys] = field(default_factory=dict)
    service: str
    place: Place

    @property
    def builds_first(self) -> tuple[ImageKey, ...]:
        """What siblings build for it, as of a build."""
        return () if self.built_by is None else (self.built_by,)


ImagePlan = BuildPlan | PullPlan


class Dependency(Struct, frozen=True, kw_only=True):
    """A service another one needs, the names it is reached by, and what is waited for."""

    service: str
    aliases: tuple[str, ...] = ()
    condition: Condition = Condition.DEFAULT


class ServicePlan(Struct, frozen=True, kw_only=True):
    """A service as every step that uses it will start it.

    `file_places`: where each of its files is named.
    """

    name: str
    image: ImageKey
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    working_dir: str | None = None
    hostname: str | None = None
    environment: Pairs = ()
    env_files: tuple[Path, ...] = ()
    encrypted_environment: EncryptedValues = ()
    encrypted_env_files: tuple[Path, ...] = ()
    file_places: Mapping[Path, Place] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    volumes_from: tuple[str, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    start_order: tuple[str, ...] = ()
    add_docker: bool = False
    ports: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    credentials: CredentialKeys = field(default_factory=CredentialKeys)
    place: Place


class PlannedStep(Struct, frozen=True, kw_only=True):
    """What all steps share. `path` is unique (``"2.1"``); `skipped` says why it will not run.

    `name` is unique as well, for the log and for containers (T-13). `names` is what the user calls
    it, which other steps may be called too: with the services of T-25, then without.
    """

    path: str
    name: str
    names: tuple[str, ...] = ()
    place: Place
    skipped: str | None = None
    on_fail: tuple[RunStep, ...] = ()

    @property
    def own_name(self) -> str:
        """What templates and variables call it: a number in the log is nothing to them."""
        return self.names[0] if self.names else self.name


class RunStep(PlannedStep, frozen=True, kw_only=True):
    """Run `command` in a fresh container of `service` (spec 4.2)."""

    service: str
    command: tuple[str, ...]
    credentials: tuple[CredentialKeys, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


class PushPlan(Struct, frozen=True, kw_only=True):
    """What a push step pushes where: the pusher's whole input besides credentials.

    `registry` is the host of all targets as the step spells it, by which of several credentials
    for it one is chosen (P-19).
    """

    image: ImageKey
    targets: tuple[ImageReference, ...]
    registry: str
    tagged: bool
    eager: bool = False


class PushStep(PlannedStep, frozen=True, kw_only=True):
    """Push the image of `service` (spec 5)."""

    service: str
    push: PushPlan
    credentials: tuple[CredentialKeys, ...] = ()


class Serial(PlannedStep, frozen=True, kw_only=True):
    """Steps one after the other, until one fails (T-17)."""

    steps: tuple[Step, ...]


class Parallel(PlannedStep, frozen=True, kw_only=True):
    """Steps at the same time; those that run finish when one fails (T-18)."""

    steps: tuple[Step, ...]


class Manual(PlannedStep, frozen=True, kw_only=True):
    """Steps that wait for approval (T-37, T-40)."""

    steps: tuple[Step, ...]


Group = Serial | Parallel | Manual
Step = RunStep | PushStep | Serial | Parallel | Manual

KINDS: Final[Mapping[type[Step], str]] = {
    RunStep: "run",
    PushStep: "push",
    Serial: "serial",
    Parallel: "parallel",
    Manual: "manual",
}
"""What a step is called where its type is told."""


class Plan(Struct, frozen=True, kw_only=True):
    """A compiled project. `variables` are the CI variables of every container (spec section 8).

    `faults`, by image: build arguments that cannot be expanded in this build. An image with some
    cannot be built; they are told where it is needed.
    """

    directory: Path
    root: Serial
    services: Mapping[str, ServicePlan]
    images: Mapping[ImageKey, ImagePlan]
    variables: tuple[tuple[str, str], ...]
    build_tag: str | None
    faults: Mapping[ImageKey, tuple[Problem, ...]] = field(default_factory=dict)


def walk(step: Step) -> Iterator[Step]:
    """The step and every step below it, in file order; on_fail steps are not among them."""
    yield step
    if isinstance(step, Serial | Parallel | Manual):
        for child in step.steps:
            yield from walk(child)


def runnable(step: Step) -> Iterator[RunStep | PushStep]:
    """The run and push steps that will run if all goes well, in file order."""
    if step.skipped is not None:
        return
    if isinstance(step, RunStep | PushStep):
        yield step
    else:
        for child in step.steps:
            yield from runnable(child)
