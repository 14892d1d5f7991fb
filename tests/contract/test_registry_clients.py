"""Real clients push to our registry and pull from it: skopeo, and an engine."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from longshore.engine.endpoint import Endpoint
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import image_index, image_manifest
from longshore.oci.media_types import Compression, Format
from longshore.registry.server.disk import DiskStorage
from longshore.registry.server.serving import RunningRegistry, serve

pytestmark = pytest.mark.registry


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[RunningRegistry]:
    """Ours, on disk."""
    async with serve(DiskStorage.open(tmp_path / "registry")) as running:
        yield running


def a_tar(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo("file")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def layout(folder: Path, layer: bytes) -> Digest:
    """An OCI image layout with one image; returns its manifest's digest."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(layer))]},
        }
    ).encode()
    manifest = image_manifest(
        Descriptor.of(config, Format.OCI.config_type),
        [Descriptor.of(layer, Format.OCI.layer_type(Compression.NONE))],
        fmt=Format.OCI,
    )
    for content in (config, layer, manifest.content):
        (blobs / Digest.of(content).hex).write_bytes(content)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_bytes(image_index([manifest.descriptor]).content)
    return manifest.digest


async def run(*command: str | Path, stdin: bytes | None = None) -> str:
    done = await anyio.run_process(
        [str(word) for word in command], input=stdin, check=False, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


async def test_skopeo_copies_an_image_there_and_back_unchanged(
    registry: RunningRegistry, tmp_path: Path
) -> None:
    layer = a_tar(b"x" * 3_000_000)
    digest = layout(tmp_path / "there", layer)
    name = f"docker://{registry.host}/team/app:v1"
    skopeo = ("skopeo", "copy", "--insecure-policy", "--preserve-digests")
    await run(*skopeo, "--dest-tls-verify=false", f"oci:{tmp_path / 'there'}", name)
    back = tmp_path / "back"
    await run(*skopeo, "--src-tls-verify=false", name, f"oci:{back}:v1")
    assert (back / "blobs" / "sha256" / Digest.of(layer).hex).read_bytes() == layer
    found = json.loads((back / "index.json").read_bytes())["manifests"]
    assert [entry["digest"] for entry in found] == [str(digest)]
    # Under a second name the blobs are known: skopeo mounts or finds them.
    other = f"docker://{registry.host}/team/other:v1"
    await run(*skopeo, "--src-tls-verify=false", "--dest-tls-verify=false", name, other)
    listed = await run("skopeo", "list-tags", "--tls-verify=false", other.removesuffix(":v1"))
    assert json.loads(listed)["Tags"] == ["v1"]
    await run("skopeo", "delete", "--tls-verify=false", other)


@pytest.mark.engine
async def test_an_engine_pushes_and_pulls(
    registry: RunningRegistry, engine_endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine_endpoint.url)
    name = f"{registry.host}/engine/app:v1"
    await run("docker", "import", "-", name, stdin=a_tar(b"from the engine"))
    try:
        pushed = await run("docker", "push", name)
        await run("docker", "rmi", name)
        pulled = await run("docker", "pull", name)
    finally:
        await run("docker", "rmi", "-f", name)
    (digest,) = {
        line.rpartition("sha256:")[2][:64] for line in pulled.splitlines() if "Digest" in line
    }
    assert f"sha256:{digest}" in pushed
