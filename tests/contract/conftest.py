"""Registries of all kinds: ours in memory and on disk, and the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from longshore.registry.server.disk import DiskStorage
from longshore.registry.server.memory import MemoryStorage
from longshore.registry.server.serving import serve
from longshore.testing.registry_process import RegistryProcess, Settings, run_registry

MakeRegistry = Callable[..., RegistryProcess]


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryProcess]:
    """The real registry, open and writable, one for all tests: use repositories of your own."""
    with run_registry(tmp_path_factory.mktemp("docker-registry")) as process:
        yield process


@pytest.fixture
def make_docker_registry(tmp_path: Path) -> Iterator[MakeRegistry]:
    """Makes real registries: ``make(users={"u": "p"}, tls=True, read_only=True, data=path)``."""
    with ExitStack() as stack:
        made = 0

        def make(**settings: object) -> RegistryProcess:
            nonlocal made
            made += 1
            wanted = Settings(**settings)  # type: ignore[arg-type]  # checked by Settings itself
            return stack.enter_context(run_registry(tmp_path / f"registry-{made}", wanted))

        yield make


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A registry under contract: which it is, and a client whose base is its address."""

    which: str
    http: aiohttp.ClientSession

    @property
    def real(self) -> bool:
        """Whether it is distribution 2.8 and not ours."""
        return self.which == "docker-registry"


@pytest.fixture(params=["memory", "disk", "docker-registry"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """Each kind of registry in turn."""
    if request.param == "docker-registry":
        process: RegistryProcess = request.getfixturevalue("docker_registry")
        async with aiohttp.ClientSession(process.url) as http:
            yield Subject(which=request.param, http=http)
        return
    storage = MemoryStorage() if request.param == "memory" else DiskStorage.open(tmp_path)
    async with serve(storage) as running, aiohttp.ClientSession(running.url) as http:
        yield Subject(which=request.param, http=http)


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """A repository of the test's own."""
    name = request.node.name.partition("[")[0].lower().replace("_", "-").strip("-")
    return f"contract/{name}"
