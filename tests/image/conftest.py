"""Images in the tests' engine, and the engine's store."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from longshore.oci.digest import Digest
from longshore.testing.images import Layer, write_archive

Load = Callable[[Sequence[Layer]], Digest]
"""Loads an image of these layers into the engine and returns its id."""


@pytest.fixture(scope="session")
def data_root(docker_command: tuple[str, ...]) -> Path:
    """The data root of the engine, which uses overlay2 and which we may read."""
    answer = subprocess.run(
        [*docker_command, "info", "--format", "{{json .}}"], check=True, capture_output=True
    )
    info = json.loads(answer.stdout)
    assert info["Driver"] == "overlay2"
    return Path(info["DockerRootDir"])


@pytest.fixture(scope="module")
def load(
    docker_command: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Load]:
    """Images loaded by it are removed after the module's tests."""
    tags: list[str] = []

    def put(layers: Sequence[Layer]) -> Digest:
        tag = f"longshore-image-test:{tmp_path_factory.getbasetemp().name}-{len(tags)}"
        archive = tmp_path_factory.mktemp("image") / "image.tar"
        write_archive(archive, tag, layers)
        tags.append(tag)
        subprocess.run(
            [*docker_command, "load", "-i", str(archive)], check=True, capture_output=True
        )
        archive.unlink()
        answer = subprocess.run(
            [*docker_command, "image", "inspect", "-f", "{{.Id}}", tag],
            check=True,
            capture_output=True,
        )
        return Digest.parse(answer.stdout.decode().strip())

    yield put
    if tags:
        subprocess.run(
            [*docker_command, "image", "rm", "-f", *tags], check=True, capture_output=True
        )
