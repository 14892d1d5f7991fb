"""Benches for the contract suite: the fake, the embedded engine, and somebody else's daemon."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.from_thread
import pytest

from longshore.engine.docker.builder import Builder
from longshore.engine.docker.engine import DockerEngine, connect
from longshore.engine.embedded.engine import embedded_engine
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import BuildSpec
from longshore.environment import Environment
from longshore.errors import EngineUnavailable
from longshore.testing.disk_folder import disk_folder
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_bench import Bench, FakeBench, RealBench

EMBEDDED = "the embedded engine"
IMAGE = "longshore-contract:1"
DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
WORKDIR /tmp
CMD ["echo", "the image's own command"]
"""


@pytest.fixture(scope="session")
def plain_endpoint(engine_endpoint: Endpoint) -> Iterator[Endpoint]:
    """A daemon that longshore did not start: the one that runs here already, or one of our own."""
    if engine_endpoint.origin != EMBEDDED:
        yield engine_endpoint
        return
    with (
        disk_folder() as directory,
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_daemon(directory)) as endpoint,
    ):
        yield endpoint


@pytest.fixture(scope="session")
def embedded_endpoint(engine_endpoint: Endpoint) -> Iterator[Endpoint]:
    """The engine that longshore starts itself; the tests' own, where none runs already."""
    if engine_endpoint.origin == EMBEDDED:
        yield engine_endpoint
        return
    with disk_folder() as directory:
        places = {"XDG_DATA_HOME": str(directory), "XDG_RUNTIME_DIR": str(directory / "run")}
        environment = Environment({**os.environ, **places})
        with (
            anyio.from_thread.start_blocking_portal() as portal,
            portal.wrap_async_context_manager(embedded_engine(environment)) as endpoint,
        ):
            yield endpoint


@asynccontextmanager
async def _daemon(directory: Path) -> AsyncIterator[Endpoint]:
    """``dockerd`` as a user starts it; without the default bridge, which others may have."""
    endpoint = Endpoint(url=f"unix://{directory}/docker.sock", origin="test")
    # The kernel ends it where the tests are killed (prctl(2)).
    words = ["setpriv", "--pdeathsig", "TERM"]
    words += ["dockerd", "--data-root", f"{directory}/data", "--exec-root", f"{directory}/exec"]
    words += ["--pidfile", f"{directory}/pid", "--host", endpoint.url]
    words += ["--bridge=none", "--iptables=false"]
    with (directory / "log").open("wb") as log:
        process = await anyio.open_process(words, stdout=log, stderr=log)
    async with process:
        try:
            with anyio.fail_after(60):
                while not await _answers(endpoint):
                    assert process.returncode is None, (directory / "log").read_text()
                    await anyio.sleep(0.1)
            yield endpoint
        finally:
            process.terminate()
            await process.wait()


async def _answers(endpoint: Endpoint) -> bool:
    try:
        async with connect(endpoint):
            return True
    except EngineUnavailable:
        return False


@pytest.fixture
async def docker(engine_endpoint: Endpoint) -> AsyncIterator[DockerEngine]:
    """The adapter, connected to the tests' engine; its builds are the engine's own."""
    async with connect(engine_endpoint, builder=Builder.CLASSIC) as engine:
        yield engine


@pytest.fixture
async def real(docker: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> RealBench:
    """A bench over the tests' engine."""
    return RealBench(docker, await _image(docker, tmp_path_factory))


@pytest.fixture
async def embedded(
    embedded_endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealBench]:
    """A bench over the engine that longshore starts itself."""
    async with connect(embedded_endpoint, builder=Builder.CLASSIC) as engine:
        yield RealBench(engine, await _image(engine, tmp_path_factory))


@pytest.fixture
async def plain(
    plain_endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealBench]:
    """A bench over a daemon that somebody else has started."""
    async with connect(plain_endpoint, builder=Builder.CLASSIC) as engine:
        yield RealBench(engine, await _image(engine, tmp_path_factory))


async def _image(engine: DockerEngine, directories: pytest.TempPathFactory) -> str:
    """An image with busybox; built once on each engine, then found."""
    if await engine.inspect_image(IMAGE) is None:
        directory = directories.mktemp("image")
        shutil.copy("/bin/busybox", directory / "busybox")
        dockerfile = directory / "Dockerfile"
        dockerfile.write_text(DOCKERFILE)
        spec = BuildSpec(context=directory, dockerfile=dockerfile, tags=(IMAGE,))
        await engine.build(spec, lambda line: None)
    return IMAGE


@pytest.fixture
async def faked() -> AsyncIterator[FakeBench]:
    """A bench over the fake engine."""
    async with FakeEngine() as engine:
        yield FakeBench(engine)


@pytest.fixture(
    params=[
        "faked",
        pytest.param("embedded", marks=pytest.mark.engine),
        pytest.param("plain", marks=pytest.mark.engine),
    ]
)
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
