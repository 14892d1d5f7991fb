"""Benches for the contract suite of the registry client: the development registry and the real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from longshore.environment import Environment
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.progress import Progress
from longshore.secrets.credential import Credential
from longshore.testing.registry_bench import (
    FreeTime,
    OurBench,
    RealBench,
    RegistryBench,
    Standing,
)

Connect = Callable[..., RegistryClient]


@pytest.fixture(params=["ours", pytest.param("docker-registry", marks=pytest.mark.registry)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> RegistryBench:
    """Every registry under test in turn."""
    folder = tmp_path / "registry"
    folder.mkdir()
    return RealBench(folder) if request.param == "docker-registry" else OurBench(folder)


@pytest.fixture
def real(bench: RegistryBench) -> bool:
    """Whether it is distribution 2.8: where its own words differ, the test says so."""
    return isinstance(bench, RealBench)


@pytest.fixture
def time() -> FreeTime:
    """The clock of the clients."""
    return FreeTime()


@pytest.fixture
def told() -> list[Progress]:
    """What the clients told."""
    return []


@pytest.fixture
def connect(time: FreeTime, told: list[Progress], tmp_path: Path) -> Connect:
    """Makes clients that wait without waiting."""

    def make(
        where: Standing | str,
        credential: Credential | None = None,
        *,
        authorities: Sequence[Path] = (),
        certificates: Path | None = None,
        limits: Limits | None = None,
    ) -> RegistryClient:
        return RegistryClient(
            host=where if isinstance(where, str) else where.host,
            access=Access(
                environment=Environment({}),
                authorities=tuple(authorities),
                certificates=certificates or tmp_path / "certs.d",
            ),
            credential=credential,
            limits=limits or Limits(retries=3),
            listener=told.append,
            clock=time.clock(),
        )

    return make
