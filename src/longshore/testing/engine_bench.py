"""What the contract suite of the engine port needs of an engine under test.

An adapter proves itself by a bench: `tests/contract/engine` runs on every one. Each test states a
container twice, as a shell script for real engines and as a `FakeProgram` for the fake.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from longshore.engine.port import Engine
from longshore.engine.spec import BuildSpec, ContainerSpec, Exit, OutputChunk
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeBuild, FakeImage, FakeProgram

LABEL = "longshore.contract"


class Bench(Protocol):
    """An engine under test, and containers that do something on it."""

    @property
    def engine(self) -> Engine:
        """The engine under test."""
        ...

    def spec(self, shell: str, fake: FakeProgram) -> ContainerSpec:
        """A container with a new name and label that does what the two describe alike."""
        ...

    def expect_build(self, spec: BuildSpec, result: FakeBuild) -> None:
        """Tell a fake how the build of this Dockerfile goes; a real engine reads it itself."""
        ...

    async def gone(self) -> bool:
        """Whether nothing is left of what specs of this bench made."""
        ...


class RealBench(Struct):
    """A bench over a real engine that has an image with a shell; `mark` labels what it makes."""

    engine: Engine
    image: str
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def spec(self, shell: str, fake: FakeProgram) -> ContainerSpec:
        """The script of it, in a container."""
        return ContainerSpec(
            name=f"contract-{self.mark}-{uuid.uuid4().hex[:8]}",
            image=self.image,
            command=("sh", "-c", shell),
            labels={LABEL: self.mark},
        )

    def expect_build(self, spec: BuildSpec, result: FakeBuild) -> None:
        """Nothing to tell."""

    async def gone(self) -> bool:
        """By the label."""
        return await self.engine.resources({LABEL: self.mark}) == ()


class FakeBench(Struct):
    """A bench over the fake engine."""

    engine: FakeEngine
    programs: dict[str, FakeProgram] = field(default_factory=dict)

    def __post_init__(self) -> None:
        image = FakeImage(program=lambda spec: self.programs[spec.name])
        self.engine.images["contract:latest"] = image

    def spec(self, shell: str, fake: FakeProgram) -> ContainerSpec:
        """The model of it."""
        name = f"contract-{len(self.programs)}"
        self.programs[name] = fake
        command = ("sh", "-c", shell)
        labels = {LABEL: "fake"}
        return ContainerSpec(name=name, image="contract", command=command, labels=labels)

    def expect_build(self, spec: BuildSpec, result: FakeBuild) -> None:
        """Script it."""
        image = replace(result.image, program=lambda made: self.programs[made.name])
        self.engine.builds[spec.dockerfile] = replace(result, image=image)

    async def gone(self) -> bool:
        """By its own books."""
        return self.engine.leftovers() == ()


class Life(Struct, frozen=True):
    """A whole life of a container."""

    exit: Exit
    out: bytes
    err: bytes


@asynccontextmanager
async def created(engine: Engine, spec: ContainerSpec) -> AsyncIterator[str]:
    """A container that is removed at the end of the block."""
    container = await engine.create(spec)
    try:
        yield container
    finally:
        await engine.remove(container)


async def lived(engine: Engine, spec: ContainerSpec) -> Life:
    """Create, attach, start, read all, wait, remove."""
    out, err = bytearray(), bytearray()
    async with created(engine, spec) as container:
        async with engine.attach(container, tty=spec.tty) as attachment:
            await engine.start(container)
            async for chunk in attachment:
                (out if chunk.stream == 1 else err).extend(chunk.data)
        return Life(await engine.wait(container), bytes(out), bytes(err))


async def first(chunks: AsyncIterator[OutputChunk], enough: Callable[[bytes], bool]) -> bytes:
    """Output until `enough` of it has come."""
    seen = b""
    async for chunk in chunks:
        seen += chunk.data
        if enough(seen):
            break
    return seen
