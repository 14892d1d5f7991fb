"""From ``--engine`` to an engine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from longshore.engine.endpoint import Endpoint
from longshore.engine.opening import open_engine
from longshore.environment import Environment
from longshore.errors import EngineUnavailable, UsageError


async def _open(choice: str, **values: str) -> str:
    environment = Environment({"PATH": os.environ["PATH"], **values})
    async with open_engine(choice, environment) as engine:
        return (await engine.info()).endpoint


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("swarm", "not supported yet"),
        ("podman", "podman"),
        ("gopher://x", "gopher"),
    ],
)
async def test_what_is_no_engine_is_a_usage_error(choice: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        await _open(choice)


async def test_an_unknown_builder_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--builder"):
        async with open_engine("auto", Environment({}), builder="kaniko"):
            pass


@pytest.mark.parametrize("choice", ["auto", "docker"])
async def test_a_docker_host_that_does_not_answer_is_named_and_nothing_else_tried(
    tmp_path: Path, choice: str
) -> None:
    with pytest.raises(EngineUnavailable, match="DOCKER_HOST"):
        await _open(choice, DOCKER_HOST=f"unix://{tmp_path}/none.sock", HOME=str(tmp_path))


async def test_a_dead_socket_is_passed_over(engine_endpoint: Endpoint, tmp_path: Path) -> None:
    """The first known socket is a corpse, a later one is the engine."""
    runtime = tmp_path / "run"
    runtime.mkdir()
    with socket.socket(socket.AF_UNIX) as corpse:
        corpse.bind(str(runtime / "docker.sock"))
    desktop = tmp_path / ".docker/run"
    desktop.mkdir(parents=True)
    (desktop / "docker.sock").symlink_to(engine_endpoint.url.removeprefix("unix://"))
    opened = await _open("auto", HOME=str(tmp_path), XDG_RUNTIME_DIR=str(runtime))
    assert opened.startswith("unix://")
    assert str(runtime) not in opened


async def test_an_address_is_opened(engine_endpoint: Endpoint) -> None:
    assert await _open(engine_endpoint.url) == engine_endpoint.url


async def test_docker_host_is_opened(engine_endpoint: Endpoint) -> None:
    assert await _open("auto", DOCKER_HOST=engine_endpoint.url) == engine_endpoint.url
