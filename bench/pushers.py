"""Who pushes in `push.py`: the tools users would take, and ours."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from longshore.testing.overlay2_store import hiding_store

BIN = Path(sys.executable).parent


class Pusher(Struct, frozen=True, kw_only=True):
    """A way to push: the shell command for one image (a name of the engine) to one target.

    `prepare` is run once for each image and is in no figure; `clean_up` once at the end. `store`
    is where it reads images from, when that is not the engine's own.
    """

    name: str
    command: Callable[[str, str], str]
    prepare: Callable[[str], str] = lambda _: "true"
    clean_up: str = "true"
    store: Path | None = None


def rivals(address: str, folder: Path) -> Iterator[Pusher]:
    """docker, and what is installed; `folder` is for what a rival must save first."""
    yield Pusher(
        name="docker tag, docker push",
        command=lambda image, to: f"docker tag {image} {to} && docker push {to}",
    )
    yield from (pusher(address, folder) for name, pusher in RIVALS.items() if shutil.which(name))


def skopeo(address: str, folder: Path) -> Pusher:
    """From the engine to the registry, by the engine's export."""
    options = f"--src-daemon-host {address} --dest-tls-verify=false --insecure-policy"
    return Pusher(
        name="skopeo copy",
        command=lambda image, to: f"skopeo copy {options} docker-daemon:{image} docker://{to}",
    )


def crane(address: str, folder: Path) -> Pusher:
    """It cannot read an engine, only what that has saved."""
    saved = folder / "saved.tar"
    push = f"crane push --insecure {saved}"
    return Pusher(
        name="docker save, crane push",
        command=lambda image, to: f"docker save -o {saved} {image} && {push} {to}",
    )


def podman(address: str, folder: Path) -> Pusher:
    """It cannot read an engine; it pushes from a store of its own, which has to be filled first."""
    return from_podman(
        "podman push, own store",
        lambda image, to: f"podman push --tls-verify=false localhost/{image} {to}",
    )


def from_podman(name: str, command: Callable[[str, str], str]) -> Pusher:
    """Who takes images out of Podman's store."""
    root = subprocess.check_output(["podman", "info", "-f", "{{.Store.GraphRoot}}"], text=True)
    images = "podman images -q --filter 'reference=*/longshore-bench/*'"
    return Pusher(
        name=name,
        command=command,
        prepare=lambda image: (
            f"podman image exists localhost/{image} || docker save {image} | podman load -q"
        ),
        clean_up=f"{images} | xargs -r podman rmi -f",
        store=Path(root.strip()),
    )


RIVALS: dict[str, Callable[[str, Path], Pusher]] = {
    "skopeo": skopeo,
    "crane": crane,
    "podman": podman,
}


@contextmanager
def podman_service(folder: Path) -> Iterator[Path | None]:
    """The socket of Podman as an engine, where it is installed."""
    if not shutil.which("podman"):
        yield None
        return
    socket = folder / "podman.sock"
    command = ["podman", "system", "service", "--time", "0", f"unix://{socket}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as service:
        try:
            yield socket
        finally:
            service.terminate()


def ours(data_root: Path | None, podman_socket: Path | None) -> Iterator[Pusher]:
    """With the engine's store, if we may read it, and without; from Podman as the engine."""
    push = f"{shlex.quote(str(BIN / 'longshore'))} push -q"
    if podman_socket is not None:
        engine = f"DOCKER_HOST=unix://{podman_socket}"
        yield from_podman(
            "longshore, podman's store",
            lambda image, to: f"{engine} {push} localhost/{image} {to}",
        )
    hidden = push
    if data_root is not None and os.geteuid() == 0 and (data_root / "image").is_dir():
        yield Pusher(name="longshore", command=lambda image, to: f"{push} {image} {to}")
        hidden = f"{shlex.join(hiding_store(data_root))} {push}"
    yield Pusher(name="longshore, no store", command=lambda image, to: f"{hidden} {image} {to}")


def start_up() -> list[str]:
    """A command that imports what a push of ours does, and pushes nothing."""
    return [sys.executable, "-c", "import longshore.cli.main, longshore.commands.push"]
