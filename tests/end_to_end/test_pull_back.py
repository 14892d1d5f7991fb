"""What was pushed is pulled by others, is the same image, and runs."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from longshore.oci.digest import Digest

pytestmark = [pytest.mark.engine, pytest.mark.registry, pytest.mark.slow]

DOCKERFILE = """
FROM longshore-test/busybox
RUN mkdir -p /deep/er && echo first >/deep/er/file && ln /deep/er/file /deep/hard \
    && ln -s er/file /deep/soft && chmod 4755 /deep/er/file && mkfifo /deep/pipe
RUN rm -r /deep/er && mkdir /deep/er && echo second >/deep/er/other
RUN head -c 3000000 /dev/urandom >/noise && : >"/a name with blanks and ünïcödé"
RUN true
RUN long=$(printf '%0200d' 0) && echo long >"/$long" && chown 1000:1000 "/$long"
USER 1000
CMD ["sh", "-c", "cat /deep/hard /deep/er/other /0*"]
"""
PRINTS = "first\nsecond\nlong\n"


@dataclass(frozen=True)
class Target:
    """An image of the engine and the name it was pushed under."""

    image: str
    name: str
    engine: str

    def docker(self, *words: str | Path) -> str:
        """A docker command that has to work."""
        return sh("docker", "-H", self.engine, *words)

    def diff_ids(self, image: str) -> list[str]:
        """As the engine tells them."""
        text = self.docker("image", "inspect", "-f", "{{json .RootFS.Layers}}", image)
        return [str(one) for one in json.loads(text)]


def sh(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


# --- the pullers: each gives the name of an image in the engine ---------------------------------


def by_engine(target: Target, folder: Path) -> str:
    target.docker("pull", target.name)
    return target.name


def by_skopeo(target: Target, folder: Path) -> str:
    archive = folder / "skopeo.tar"
    loaded = f"{target.image}-skopeo:latest"
    sh(
        *("skopeo", "copy", "--insecure-policy", "--src-tls-verify=false"),
        *(f"docker://{target.name}", f"docker-archive:{archive}:{loaded}"),
    )
    target.docker("load", "-i", archive)
    return loaded


def by_crane(target: Target, folder: Path) -> str:
    archive = folder / "crane.tar"
    sh("crane", "pull", "--insecure", target.name, archive)
    target.docker("load", "-i", archive)
    return target.name


PULLERS: dict[str, Callable[[Target, Path], str]] = {"engine": by_engine, "skopeo": by_skopeo}
if shutil.which("crane"):
    # Not in every Debian: it takes part where it is.
    PULLERS["crane"] = by_crane


@pytest.fixture
def target(user: Any, docker_registry_url: str, request: pytest.FixtureRequest) -> Any:
    """An image of all kinds of files, built by the engine and not yet pushed."""
    number = abs(hash(request.node.name)) % 10**8
    image = f"longshore-pull-back-{number}"
    user.write("Dockerfile", DOCKERFILE)
    engine = user.environment["DOCKER_HOST"]
    found = Target(image, f"{docker_registry_url.partition('//')[2]}/back/app{number}:v1", engine)
    found.docker("build", "-q", "-t", image, user.directory)
    yield found
    with suppress(AssertionError):
        found.docker("rmi", "-f", image, found.name, f"{image}-skopeo:latest")


@pytest.mark.parametrize(
    ("puller", "options"),
    [
        *((puller, ()) for puller in PULLERS),
        ("engine", ("--format", "oci")),
        ("skopeo", ("--compression", "none")),
    ],
)
def test_what_was_pushed_is_pulled_as_the_same_image_and_runs(
    user: Any, target: Target, tmp_path: Path, puller: str, options: tuple[str, ...]
) -> None:
    built = target.diff_ids(target.image)
    identity = target.docker("image", "inspect", "-f", "{{.Id}}", target.image)
    pushed = user.run("push", *options, "-q", target.image, target.name)
    assert pushed.returncode == 0, pushed.stderr
    digest = Digest.parse(pushed.stdout.strip())
    # Nothing of it may be left in the engine that pulls it.
    target.docker("rmi", "-f", "--no-prune=false", target.image)
    pulled = PULLERS[puller](target, tmp_path)
    assert target.diff_ids(pulled) == built
    assert target.docker("image", "inspect", "-f", "{{.Id}}", pulled) == identity
    if puller == "engine":
        repository = target.name.removesuffix(":v1")
        digests = target.docker("image", "inspect", "-f", "{{json .RepoDigests}}", pulled)
        assert f"{repository}@{digest}" in json.loads(digests)
    assert target.docker("run", "--rm", "--network", "none", pulled) == PRINTS


def test_every_blob_unpacks_to_the_diff_id_the_engine_has(
    user: Any, target: Target, tmp_path: Path
) -> None:
    pushed = user.run("push", target.image, target.name)
    assert pushed.returncode == 0, pushed.stderr
    layout = tmp_path / "layout"
    sh(
        *("skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", "--preserve-digests"),
        *(f"docker://{target.name}", f"dir:{layout}"),
    )
    manifest = json.loads((layout / "manifest.json").read_bytes())
    blobs = [(layout / one["digest"].partition(":")[2]).read_bytes() for one in manifest["layers"]]
    tars = [gzip.decompress(blob) for blob in blobs]
    assert [str(Digest.of(tar)) for tar in tars] == target.diff_ids(target.image)
