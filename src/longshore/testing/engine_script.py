"""What the fake engine's images do: programs, images and builds as values."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.engine.spec import ContainerSpec, Health, ImageInfo, OutputChunk
from longshore.image.archive import legacy_ids
from longshore.oci.digest import Digest

STDOUT, STDERR = 1, 2


def out(text: str) -> OutputChunk:
    """Text on standard output."""
    return OutputChunk(stream=STDOUT, data=text.encode())


def err(text: str) -> OutputChunk:
    """Text on standard error."""
    return OutputChunk(stream=STDERR, data=text.encode())


class FakeProgram(Struct, frozen=True, kw_only=True):
    """What a container does once it is started, in this order.

    It looks for `needs_files` in its mounts and files (a missing one: a line on stderr, code 1),
    looks up the names `resolves` (likewise), prints `output`, writes `writes` (absolute paths in
    the container; below a host mount they appear on the host), sets `started`, waits for
    `until`, and ends with `exit_code`. `echoes` copies standard input to standard output until it
    ends. `refuses_to_start` makes the engine's start fail with that text. SIGTERM ends it with
    143 unless it `ignores_term`. `health` are the states it goes through after it has started.
    """

    output: tuple[OutputChunk, ...] = ()
    exit_code: int = 0
    out_of_memory: bool = False
    started: anyio.Event | None = None
    until: anyio.Event | None = None
    echoes: bool = False
    needs_files: tuple[str, ...] = ()
    resolves: tuple[str, ...] = ()
    writes: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    health: tuple[Health, ...] = ()
    refuses_to_start: str | None = None
    ignores_term: bool = False


Chooser = Callable[[ContainerSpec], FakeProgram]
"""Picks the program of a container by what it was created with."""


class FakeImage(Struct, frozen=True, kw_only=True, dict=True):
    """An image and what its containers do; `program` may look at the command first.

    `added`: what the steps of its history added, where that was not a step for each layer.
    """

    program: FakeProgram | Chooser = field(default_factory=FakeProgram)
    environment: tuple[tuple[str, str], ...] = ()
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    has_health_check: bool = False
    layers: tuple[Mapping[str, bytes], ...] = ()
    added: tuple[int, ...] | None = None
    created: str = "1970-01-01T00:00:00Z"
    salt: str = ""

    def program_for(self, spec: ContainerSpec) -> FakeProgram:
        """The program a container of `spec` runs."""
        return self.program if isinstance(self.program, FakeProgram) else self.program(spec)

    def salted(self, salt: str) -> FakeImage:
        """The same image under another id."""
        return replace(self, salt=salt)

    @cached_property
    def layer_tars(self) -> tuple[bytes, ...]:
        """The layers, from the base up."""
        return tuple(tar_of(layer) for layer in self.layers)

    @cached_property
    def config(self) -> bytes:
        """The configuration, whose digest is the id."""
        config = {"Env": [f"{name}={value}" for name, value in self.environment]}
        digests = ["sha256:" + hashlib.sha256(data).hexdigest() for data in self.layer_tars]
        content = {
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": digests},
            "longshore.fake": self.salt,
        }
        return json.dumps(content).encode()

    @property
    def id(self) -> str:
        """The digest of the image's configuration, as real engines have it."""
        return "sha256:" + hashlib.sha256(self.config).hexdigest()

    @property
    def info(self) -> ImageInfo:
        """What `inspect_image` tells."""
        return ImageInfo(
            id=self.id,
            environment=self.environment,
            exposed_ports=self.exposed_ports,
            volumes=self.volumes,
            diff_ids=tuple(json.loads(self.config)["rootfs"]["diff_ids"]),
            repo_digests=(),
            size=sum(map(len, self.layer_tars)),
            created=self.created,
        )

    def archive(self, names: tuple[str, ...]) -> bytes:
        """The image as ``docker save`` of engines up to 24 writes it."""
        below = legacy_ids(tuple(map(Digest.of, self.layer_tars)))
        files: dict[str, bytes] = {}
        for name, data in zip((*below, "topmost"), self.layer_tars, strict=False):
            files[f"{name}/layer.tar"] = data
        config = self.id.removeprefix("sha256:") + ".json"
        files[config] = self.config
        entry = {"Config": config, "RepoTags": list(names), "Layers": list(files)[:-1]}
        files["manifest.json"] = json.dumps([entry]).encode()
        return tar_of(files)


class FakeBuild(Struct, frozen=True, kw_only=True):
    """How a build goes: its output, then `until`, then the image or the failure."""

    image: FakeImage = field(default_factory=FakeImage)
    lines: tuple[str, ...] = ()
    until: anyio.Event | None = None
    fails: str | None = None


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """A tar of regular files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def tar_of_directory(parts: Mapping[str, Path]) -> bytes:
    """A tar of files and directories, each under its name, in the order of a walk."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in parts.items():
            archive.add(path, name)
    return buffer.getvalue()


def by_command(programs: Mapping[str, FakeProgram]) -> FakeImage:
    """An image whose containers behave by the first word of their command."""

    def choose(spec: ContainerSpec) -> FakeProgram:
        return programs.get((spec.command or ("",))[0], FakeProgram())

    return FakeImage(program=choose)
