"""A real Podman as the engine, whose images are in a store of its own kind."""

from __future__ import annotations

import json
import os
import shutil
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
        # Its bridge and its rules go with a network of its own; and it goes by itself when nobody
        # asked for a minute, for a test that is killed does not end it.
        service = ["unshare", "--net", *command, "system", "service", "--time", "60"]
        # Its usual limit of open files is more than a machine may allow. In its usual directory it
        # tells a Podman of the machine's that this has run since the machine started.
        (folder / "containers.conf").write_text(
            "[containers]\ndefault_ulimits = []\n"
            f"[engine]\ntmp_dir = '{folder}/tmp'\nlock_type = 'file'\n"
            f"[network]\nnetwork_config_dir = '{folder}/networks'\n"
        )
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "DOCKER_HOST": f"unix://{socket}",
        }
        service.append(f"unix://{socket}")
        with subprocess.Popen(service, stderr=subprocess.DEVNULL, env=variables) as running:
            try:
                _until(socket)
                user = User(tmp_path, variables)
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
        first, second = (podman.user.run("push", "-v", IMAGE, name) for _ in range(2))
    assert first.stdout.split(" (")[0] == second.stdout.split(" (")[0]
    assert "(0 layers sent, 2 existing, 0 bytes in" in second.stdout
    assert "reading the engine's store" in first.stderr
    assert second.stderr == ""


def test_a_pipeline_builds_runs_and_pushes_with_it_and_leaves_nothing(
    podman: Podman, static_busybox: Path, tmp_path: Path
) -> None:
    user = podman.user
    shutil.copy(static_busybox, tmp_path / "busybox")
    user.write(
        "Dockerfile",
        """
        FROM scratch
        COPY busybox /bin/busybox
        RUN ["/bin/busybox", "--install", "/bin"]
        ENV PATH=/bin
        RUN echo built >/made
        """,
    )
    user.write("codeship-services.yml", "app: {build: {image: example/app, context: .}}\n")
    with run_registry(tmp_path / "registry") as registry:
        user.write(
            "codeship-steps.yml",
            f"""
            - {{name: test, service: app, command: "sh -c 'cat /made; echo on $CI_BRANCH'"}}
            - name: ship
              service: app
              type: push
              image_name: {registry.host}/team/app
              image_tag: "{{{{.Branch}}}}"
            - {{name: told, service: app, command: "sh -c 'echo $LONGSHORE_DIGEST_SHIP; exit 7'"}}
            """,
        )
        ran = user.run("steps", "--push", "--ci-branch", "main")
        digest = podman("image", "inspect", "-f", "{{.Id}}", "example/app").strip()
        podman("pull", "--tls-verify=false", f"{registry.host}/team/app:main")
        pulled = podman("image", "inspect", "-f", "{{.Id}}", f"{registry.host}/team/app:main")
    assert ran.returncode == 1, ran.stderr
    for told in ("(step: test) built", "(step: test) on main", "(step: told) sha256:"):
        assert told in ran.stdout
    assert "container exited with a 7 code" in ran.stderr
    assert pulled.strip() == digest
    assert podman("ps", "-aq") == ""
    assert podman("network", "ls", "-q").split() == ["podman"]
