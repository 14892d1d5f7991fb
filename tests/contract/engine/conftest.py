"""Benches for the contract suite: the fake and a real engine."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from longshore.engine.docker.builder import Builder
from longshore.engine.docker.engine import DockerEngine, connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import BuildSpec
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_bench import Bench, FakeBench, RealBench

IMAGE = "longshore-contract:1"
DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
WORKDIR /tmp
CMD ["echo", "the image's own command"]
"""


@pytest.fixture
async def docker(engine_endpoint: Endpoint) -> AsyncIterator[DockerEngine]:
    """The adapter, connected; its builds are the engine's own."""
    async with connect(engine_endpoint, builder=Builder.CLASSIC) as engine:
        yield engine


@pytest.fixture
async def image(docker: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with busybox; built once, then found."""
    if await docker.inspect_image(IMAGE) is None:
        directory = tmp_path_factory.mktemp("image")
        shutil.copy("/bin/busybox", directory / "busybox")
        dockerfile = directory / "Dockerfile"
        dockerfile.write_text(DOCKERFILE)
        spec = BuildSpec(context=directory, dockerfile=dockerfile, tags=(IMAGE,))
        await docker.build(spec, lambda line: None)
    return IMAGE


@pytest.fixture
async def real(docker: DockerEngine, image: str) -> RealBench:
    """A bench over the real engine."""
    return RealBench(docker, image)


@pytest.fixture
async def faked() -> AsyncIterator[FakeBench]:
    """A bench over the fake engine."""
    async with FakeEngine() as engine:
        yield FakeBench(engine)


@pytest.fixture(params=["faked", pytest.param("real", marks=pytest.mark.engine)])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Every engine under test in turn."""
    found: Bench = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """An empty build context."""
    directory = tmp_path / "context"
    directory.mkdir()
    return directory
