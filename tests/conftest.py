"""Fixtures for every test: an environment of its own, and the real engine and registry.

What needs something real fails without it, loudly; it is never skipped (`make test` installs it).
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import anyio.from_thread
import pytest
from hypothesis import settings

from longshore.engine.docker.engine import connect
from longshore.engine.embedded.engine import embedded_engine
from longshore.engine.endpoint import Endpoint, known_endpoints, named_endpoint
from longshore.engine.spec import BuildSpec
from longshore.environment import VARIABLES, Environment
from longshore.errors import EngineUnavailable
from longshore.image.cores import usable_cores
from longshore.testing.disk_folder import disk_folder

# How long an example takes says more about the machine than about the code.
settings.register_profile("longshore", deadline=None)
settings.load_profile("longshore")

BUSYBOX_IMAGE = "longshore-test/busybox:latest"

_OUTSIDE = Environment.of_process()
"""The environment the tests were started with; taken before any test changes it."""

_KEPT = frozenset({"HOME", "PATH"})
_numbers = itertools.count()
_MOST_PROCESSES = 4
"""Each has an engine of its own."""


def pytest_xdist_auto_num_workers() -> int:
    """What ``-n auto`` means: a process for each core, for most tests wait for an engine.

    One where an engine answers already: its tests look at everything that is on it.
    """
    return 1 if _running_engine() else min(_MOST_PROCESSES, usable_cores())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for the real things, and run it after the rest."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "engine_endpoint" in names:
            item.add_marker("engine")
        if "docker_registry_url" in names:
            item.add_marker("registry")
    items.sort(key=_is_real)


def _is_real(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("engine", "registry"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """aiohttp runs on asyncio only, so that is the one backend (ARCHITECTURE.md)."""
    return "asyncio"


@pytest.fixture(scope="session")
def _directories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environment")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A directory that may not be entered, for which root is somebody else during the test."""
    directory = tmp_path / "locked"
    directory.mkdir(mode=0)
    ours = os.geteuid()
    if ours == 0:
        os.seteuid(65534)
    yield directory
    os.seteuid(ours)
    directory.chmod(0o700)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, _directories: Path) -> None:
    """No variable we read comes from the caller; our directories are fresh for every test."""
    for name in {variable.name for variable in VARIABLES} - _KEPT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    fresh = _directories / str(next(_numbers))
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(fresh / name.lower()))
    # Programs built by tests shall not be built anew for each of them.
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(_OUTSIDE.home / ".cache/go-build")))


@pytest.fixture(scope="session")
def engine_endpoint() -> Iterator[Endpoint]:
    """A real engine: the one that answers already, else a private one for this session."""
    running = _running_engine()
    if running is not None:
        yield running
        return
    with disk_folder() as data:
        places = {"XDG_DATA_HOME": str(data), "XDG_RUNTIME_DIR": str(data / "run")}
        environment = Environment({**_OUTSIDE.values, **places})
        with (
            anyio.from_thread.start_blocking_portal() as portal,
            portal.wrap_async_context_manager(embedded_engine(environment)) as endpoint,
        ):
            yield endpoint


@pytest.fixture(scope="session")
def docker_command(engine_endpoint: Endpoint) -> tuple[str, ...]:
    """The ``docker`` command line, pointed at the tests' engine."""
    return ("docker", "--host", engine_endpoint.url)


def _running_engine() -> Endpoint | None:
    """DOCKER_HOST or a context has to answer; sockets are tried."""
    named = named_endpoint(_OUTSIDE)
    if named is not None:
        anyio.run(_greet, named)
        return named
    for endpoint in known_endpoints(_OUTSIDE):
        try:
            anyio.run(_greet, endpoint)
        except EngineUnavailable:
            continue
        return endpoint
    return None


async def _greet(endpoint: Endpoint) -> None:
    async with connect(endpoint):
        pass


@pytest.fixture(scope="session")
def static_busybox() -> Path:
    """A busybox that runs in an empty container."""
    for path in (Path("/bin/busybox"), Path("/usr/bin/busybox")):
        if path.exists():
            return path
    pytest.fail("the tests need a static busybox (Debian: busybox-static)")


@pytest.fixture(scope="session")
def busybox_image(
    engine_endpoint: Endpoint, static_busybox: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of an image with busybox's applets in /bin, users, /tmp, and a PATH."""
    context = tmp_path_factory.mktemp("busybox")
    shutil.copy(static_busybox, context / "busybox")
    (context / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n"
    )
    (context / "group").write_text("root:x:0:\nuser:x:1000:\n")
    (context / "Dockerfile").write_text(
        "FROM scratch\n"
        "COPY busybox /bin/busybox\n"
        'RUN ["/bin/busybox", "--install", "/bin"]\n'
        "COPY passwd group /etc/\n"
        'RUN ["/bin/sh", "-c", "/bin/mkdir -m 1777 /tmp && /bin/mkdir -m 700 /root"]\n'
        "ENV PATH=/bin\n"
        'CMD ["/bin/sh"]\n'
    )
    anyio.run(_build, engine_endpoint, context)
    return BUSYBOX_IMAGE


async def _build(endpoint: Endpoint, context: Path) -> None:
    spec = BuildSpec(context=context, dockerfile=context / "Dockerfile", tags=(BUSYBOX_IMAGE,))
    lines: list[str] = []
    async with connect(endpoint) as engine:
        await engine.build(spec, lines.append)


@pytest.fixture(scope="session")
def docker_registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of Debian's docker-registry (distribution), empty, without login."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.fail("the tests need a real registry (Debian: docker-registry)")
    directory = tmp_path_factory.mktemp("docker-registry")
    configuration = directory / "config.yml"
    configuration.write_text(
        "version: 0.1\n"
        "log: {level: info, formatter: text}\n"
        f"storage: {{filesystem: {{rootdirectory: {directory}/data}}, delete: {{enabled: true}}}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
    )
    with subprocess.Popen(
        [program, "serve", str(configuration)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        assert process.stderr is not None
        try:
            yield f"http://{_listening(process.stderr)}"
        finally:
            process.terminate()


def _listening(log: IO[bytes]) -> str:
    """``host:port`` from the line ``listening on …`` that the registry writes when it is ready."""
    said: list[str] = []
    for line in log:
        said.append(line.decode(errors="replace"))
        found = re.search(r"listening on ([0-9.:]+)", said[-1])
        if found:
            threading.Thread(target=_drain, args=(log,), daemon=True).start()
            return found[1]
    pytest.fail(f"docker-registry did not start: {''.join(said)}")


def _drain(log: IO[bytes]) -> None:
    """Read on, for a full pipe would stop the registry."""
    with suppress(OSError, ValueError):
        for _ in log:
            pass
