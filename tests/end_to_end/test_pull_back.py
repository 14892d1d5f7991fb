"""What was pushed is pulled by others, is the same image, and runs."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from longshore.engine.endpoint import Endpoint
from longshore.oci.digest import Digest

pytestmark = [pytest.mark.engine, pytest.mark.registry, pytest.mark.slow]

BASE = """
FROM longshore-test/busybox AS base
FROM scratch
LABEL longshore-pull-back=yes
COPY --from=base /bin/busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
"""
# No layer is another image's: what the engine has already it would not pull.
DOCKERFILE = f"""{BASE}
RUN mkdir -p /deep/er && echo first >/deep/er/file && ln /deep/er/file /deep/hard \\
    && ln -s er/file /deep/soft && chmod 4755 /deep/er/file && mkfifo /deep/pipe
RUN rm -r /deep/er && mkdir /deep/er && echo second >/deep/er/other
RUN head -c 3000000 /dev/urandom >/noise && : >"/a name with blanks and ünïcödé"
RUN true
RUN long=$(printf '%0200d' 0) && echo long >"/$long" && chown 1000:1000 "/$long"
USER 1000
CMD ["sh", "-c", "cat /deep/hard /deep/er/other /0*"]
"""
LARGE = f"""{BASE}
RUN head -c 50000000 /dev/urandom >/large
CMD ["sha256sum", "/large"]
"""
PACKED = "longshore-pull-back-packed:latest"
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

    def forget(self) -> None:
        """Nothing of it may be left in the engine that pulls it."""
        self.docker("rmi", "-f", "--no-prune=false", self.image)
        self.docker("image", "prune", "-f", "--filter", "label=longshore-pull-back")

    def described(self, image: str) -> str:
        """What it is, besides its layers; its id is that of a manifest in newer engines."""
        shown = "{{.Created}} {{.Architecture}} {{.Config.User}} {{json .Config.Cmd}}"
        return self.docker("image", "inspect", "-f", shown + " {{json .Config.Env}}", image)


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


# --- where it is pushed from: each gives what `longshore push` takes ----------------------------


def from_engine(target: Target, folder: Path) -> str:
    return target.image


def from_archive(target: Target, folder: Path) -> str:
    saved = folder / "saved.tar"
    target.docker("save", "-o", saved, target.image)
    return f"docker-archive:{saved}"


def from_layout(target: Target, folder: Path) -> str:
    archive = from_archive(target, folder)
    layout = folder / "layout"
    sh("skopeo", "copy", "--insecure-policy", archive, f"oci:{layout}:it")
    return f"oci:{layout}"


SOURCES = {"engine": from_engine, "archive": from_archive, "layout": from_layout}


@pytest.fixture(scope="module")
def archive(
    engine_endpoint: Endpoint, busybox_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The image of `DOCKERFILE`, built once; the engine does not keep it."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    built = Target(PACKED, PACKED, engine_endpoint.url)
    built.docker("build", "-q", "-t", PACKED, folder)
    built.docker("save", "-o", folder / "image.tar", PACKED)
    built.forget()
    return folder / "image.tar"


@pytest.fixture
def target(user: Any, docker_registry_url: str, archive: Path, request: Any) -> Iterator[Target]:
    """An image of all kinds of files, in the engine and not yet pushed."""
    number = abs(hash(request.node.name)) % 10**8
    image = f"longshore-pull-back-{number}"
    engine = user.environment["DOCKER_HOST"]
    found = Target(image, f"{docker_registry_url.partition('//')[2]}/back/app{number}:v1", engine)
    if hasattr(request, "param"):
        user.write("Dockerfile", request.param)
        found.docker("build", "-q", "-t", image, user.directory)
    else:
        found.docker("load", "-q", "-i", archive)
        found.docker("tag", PACKED, image)
        found.docker("rmi", PACKED)
    yield found
    with suppress(AssertionError):
        found.docker("rmi", "-f", image, found.name, f"{image}-skopeo:latest")


WAYS: list[tuple[str, str, tuple[str, ...]]] = [
    *((puller, "engine", ()) for puller in PULLERS),
    *((puller, "engine", ("--compression", "none")) for puller in PULLERS),
    ("engine", "engine", ("--format", "oci")),
    ("engine", "archive", ()),
    ("engine", "layout", ()),
    ("skopeo", "layout", ("--compression", "none")),
]


@pytest.mark.parametrize(("puller", "source", "options"), WAYS)
def test_what_was_pushed_is_pulled_as_the_same_image_and_runs(
    user: Any, target: Target, tmp_path: Path, puller: str, source: str, options: tuple[str, ...]
) -> None:
    built, described = target.diff_ids(target.image), target.described(target.image)
    digest = _pushed(user, SOURCES[source](target, tmp_path), target.name, *options)
    target.forget()
    pulled = PULLERS[puller](target, tmp_path)
    assert target.diff_ids(pulled) == built
    assert target.described(pulled) == described
    if puller == "engine":
        repository = target.name.removesuffix(":v1")
        digests = target.docker("image", "inspect", "-f", "{{json .RepoDigests}}", pulled)
        assert f"{repository}@{digest}" in json.loads(digests)
    assert target.docker("run", "--rm", "--network", "none", pulled) == PRINTS


def _pushed(user: Any, *words: str) -> Digest:
    done = user.run("push", "-q", *words)
    assert done.returncode == 0, done.stderr
    return Digest.parse(done.stdout.strip())


@pytest.mark.parametrize("target", [LARGE], indirect=True)
def test_a_layer_that_goes_in_several_chunks_is_pulled_as_it_was(
    user: Any, target: Target, tmp_path: Path
) -> None:
    built = target.diff_ids(target.image)
    summed = ("run", "--rm", "--network", "none")
    content = target.docker(*summed, target.image)
    _pushed(user, target.image, target.name)
    target.forget()
    assert target.diff_ids(by_engine(target, tmp_path)) == built
    assert target.docker(*summed, target.name) == content


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_every_blob_unpacks_to_the_diff_id_the_engine_has(
    user: Any, target: Target, tmp_path: Path, compression: str
) -> None:
    """Also in zstd, which no archive takes; engines do from 23 on, and there it runs, too."""
    _pushed(user, target.image, target.name, "--compression", compression)
    copy = tmp_path / "copy"
    sh(
        *("skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", "--preserve-digests"),
        *(f"docker://{target.name}", f"dir:{copy}"),
    )
    manifest = json.loads((copy / "manifest.json").read_bytes())
    blobs = [copy / one["digest"].partition(":")[2] for one in manifest["layers"]]
    diff_ids = [str(Digest.of(UNPACK[compression](blob))) for blob in blobs]
    assert diff_ids == target.diff_ids(target.image)
    if int(target.docker("version", "-f", "{{.Server.Version}}").partition(".")[0]) >= 23:
        target.forget()
        pulled = by_engine(target, tmp_path)
        assert target.docker("run", "--rm", "--network", "none", pulled) == PRINTS


UNPACK: dict[str, Callable[[Path], bytes]] = {
    "gzip": lambda blob: gzip.decompress(blob.read_bytes()),
    "zstd": lambda blob: (
        subprocess.run(["zstd", "-dc", blob], check=True, capture_output=True).stdout
    ),
    "none": lambda blob: blob.read_bytes(),
}
