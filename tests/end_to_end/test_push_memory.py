"""A push takes a bounded amount of memory, whatever the image."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from longshore.testing.images import write_archive
from longshore.testing.memory import peak_memory
from longshore.testing.overlay2_store import hiding_store
from longshore.testing.registry_process import run_registry

from .conftest import User

pytestmark = [pytest.mark.engine, pytest.mark.registry, pytest.mark.slow]

PROGRAM = Path(sys.executable).parent / "longshore"
MB = 1_000_000
ALLOWED = 300 * MB
SIZE = 104 << 20
IMAGE = "longshore-test/four-large-layers:1"


@dataclass(frozen=True, slots=True)
class Noise:
    """A layer of one file, which nothing makes smaller."""

    seed: int

    @property
    def size(self) -> int:
        """See `Layer`."""
        return tarfile.BLOCKSIZE + SIZE + 2 * tarfile.BLOCKSIZE

    def chunks(self) -> Iterator[bytes]:
        """See `Layer`."""
        file = tarfile.TarInfo(f"noise{self.seed}")
        file.size = SIZE
        yield file.tobuf()
        noise = random.Random(self.seed)
        for _ in range(SIZE >> 20):
            yield noise.randbytes(1 << 20)
        yield bytes(2 * tarfile.BLOCKSIZE)


@pytest.fixture(scope="module")
def image(
    docker_command: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An image of four layers of more than 100 MB each."""
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    write_archive(archive, IMAGE, [Noise(seed) for seed in range(4)])
    subprocess.run([*docker_command, "load", "-i", archive], check=True, capture_output=True)
    archive.unlink()
    yield IMAGE
    subprocess.run([*docker_command, "rmi", "-f", IMAGE], check=True, capture_output=True)


@pytest.fixture
def hidden(docker_command: tuple[str, ...]) -> tuple[str, ...]:
    """Before a command: it cannot read the engine's store."""
    asked = [*docker_command, "info", "--format", "{{.DockerRootDir}}"]
    root = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return hiding_store(Path(root))


@pytest.mark.parametrize(
    ("source", "words", "variables"),
    [
        ("overlay2", (), {}),
        ("overlay2 through the engine", ("--format", "oci"), {}),
        ("image export", ("--format", "oci"), {"LONGSHORE_NO_STORE_CONTAINER": "1"}),
    ],
)
def test_four_large_layers_side_by_side_take_less_than_300_megabytes(
    user: User,
    image: str,
    hidden: tuple[str, ...],
    tmp_path: Path,
    source: str,
    words: tuple[str, ...],
    variables: dict[str, str],
) -> None:
    metadata = tmp_path / "pushed.json"
    before = () if source == "overlay2" else hidden
    with run_registry(tmp_path / "registry") as registry:
        target = f"{registry.host}/team/app:1"
        push = (str(PROGRAM), "push", *words, "--metadata-file", str(metadata), image, target)
        peak = peak_memory((*before, *push), user.environment | variables)
    assert json.loads(metadata.read_text())["pushes"][0]["source"] == source
    assert peak < ALLOWED, f"{peak / MB:.0f} MB"


def test_the_same_uploaded_early_takes_no_more(user: User, image: str, tmp_path: Path) -> None:
    user.write(
        "codeship-services.yml",
        f"app: {{image: {image}}}\ntests: {{image: longshore-test/busybox}}\n",
    )
    with run_registry(tmp_path / "registry") as registry:
        user.write(
            "codeship-steps.yml",
            f"""
            - {{service: tests, command: sleep 4}}
            - {{service: app, type: push, image_name: {registry.host}/team/app, eager: true}}
            """,
        )
        metadata = tmp_path / "pushed.json"
        command = (str(PROGRAM), "steps", "--dir", str(user.directory), "--push")
        peak = peak_memory((*command, "--metadata-file", str(metadata)), user.environment)
    layers = json.loads(metadata.read_text())["pushes"][0]["layers"]
    assert [layer["route"] for layer in layers] == ["sent"] * 4
    assert peak < ALLOWED, f"{peak / MB:.0f} MB"
