"""Images of a real Podman, which keeps them in a store of its own kind."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from longshore.testing.disk_folder import disk_folder
from longshore.testing.images import Layer, RandomLayer, write_archive
from longshore.testing.registry_process import run_registry

from .conftest import User

pytestmark = [pytest.mark.engine, pytest.mark.registry]

IMAGE = "docker.io/example/podmans:latest"
LAYERS: list[Layer] = [
    RandomLayer(content=40 << 20, files=30, seed=7),
    RandomLayer(content=1000, seed=8),
]


class Podman(Struct, frozen=True):
    """Its command line, and a user who has it for an engine."""

    command: tuple[str, ...]
    user: User

    def __call__(self, *words: str) -> str:
        """What a command of it prints."""
        # Not in the test's environment: it takes a DOCKER_CONFIG without a file for a mistake.
        done = subprocess.run(
            [*self.command, *words],
            env=self.user.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[Podman]:
    """A Podman of the test's own, with IMAGE in it."""
    with disk_folder() as folder:
        places = ("--root", f"{folder}/root", "--runroot", f"{folder}/run")
        # Without the option a mount of the store onto itself would stay.
        options = ("--storage-driver", "overlay", "--storage-opt", "overlay.skip_mount_home=true")
        command = ("podman", *places, *options)
        socket = folder / "podman.sock"
        service = [*command, "system", "service", "--time", "0", f"unix://{socket}"]
        with subprocess.Popen(service, stderr=subprocess.DEVNULL) as running:
            try:
                _until(socket)
                variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
                user = User(tmp_path, {**variables, "DOCKER_HOST": f"unix://{socket}"})
                podman = Podman(command, user)
                write_archive(folder / "image.tar", IMAGE, LAYERS)
                podman("load", "-i", str(folder / "image.tar"))
                yield podman
            finally:
                running.terminate()


def _until(socket: Path) -> None:
    deadline = time.monotonic() + 30
    while not socket.exists():
        assert time.monotonic() < deadline, "podman did not start"
        time.sleep(0.1)


def test_its_images_are_pushed_from_its_store_and_pulled_again(
    podman: Podman, tmp_path: Path
) -> None:
    with run_registry(tmp_path / "registry") as registry:
        name = f"{registry.host}/team/app:1"
        report = tmp_path / "pushed.json"
        pushed = podman.user.run("push", "-v", "--metadata-file", str(report), IMAGE, name)
        assert pushed.returncode == 0, pushed.stderr
        assert "reading the engine's store directly" in pushed.stderr
        (push,) = json.loads(report.read_text())["pushes"]
        assert push["source"] == "containers-storage"
        before = json.loads(podman("image", "inspect", IMAGE))[0]
        podman("rmi", IMAGE)
        podman("pull", "--tls-verify=false", name)
        after = json.loads(podman("image", "inspect", name))[0]
    assert [layer["route"] for layer in push["layers"]] == ["sent", "sent"]
    assert [layer["diff_id"] for layer in push["layers"]] == before["RootFS"]["Layers"]
    assert (after["Id"], after["RootFS"]) == (before["Id"], before["RootFS"])


def test_an_image_that_did_not_change_is_not_read_again(podman: Podman, tmp_path: Path) -> None:
    with run_registry(tmp_path / "registry") as registry:
        name = f"{registry.host}/team/app:1"
        first, second = (podman.user.run("push", IMAGE, name) for _ in range(2))
    assert first.stdout.split(" (")[0] == second.stdout.split(" (")[0]
    assert "(0 layers sent, 2 existing, 0 bytes in" in second.stdout
