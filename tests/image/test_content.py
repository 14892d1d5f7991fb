"""Blobs on disk: OCI layouts and containerd's store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from longshore.errors import ContentMismatch, InvalidValue, LongshoreError, NotFound
from longshore.image.compression import CompressionOptions
from longshore.image.containerd import open_containerd
from longshore.image.content import choose_manifest
from longshore.image.files import Choice
from longshore.image.oci_layout import open_oci_layout
from longshore.image.pipeline import compressed
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import image_index
from longshore.oci.media_types import OCI_MANIFEST, Compression, Format
from longshore.oci.platform import Platform
from longshore.testing.images import RandomLayer, write_archive

AMD64 = Platform(os="linux", architecture="amd64")
ARM64 = Platform(os="linux", architecture="arm64")


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCI layout written by skopeo, with the name 1.0."""
    if not shutil.which("skopeo"):
        pytest.skip("skopeo is not installed")
    folder = tmp_path_factory.mktemp("layout")
    layers = [RandomLayer(content=200_000, seed=n) for n in (1, 2)]
    write_archive(folder / "image.tar", "app:1", layers)
    copy = f"docker-archive:{folder / 'image.tar'}", f"oci:{folder / 'oci'}:1.0"
    subprocess.run(["skopeo", "copy", "-q", *copy], check=True)
    return folder / "oci"


def _manifest_digest(layout: Path) -> Digest:
    index = json.loads((layout / "index.json").read_bytes())
    return Digest.parse(index["manifests"][0]["digest"])


def _put_image(layout: Path, manifest: object) -> None:
    """Have the layout hold this image alone."""
    content = json.dumps(manifest).encode()
    described = Descriptor.of(content, OCI_MANIFEST)
    (layout / "blobs/sha256" / described.digest.hex).write_bytes(content)
    index = {"schemaVersion": 2, "manifests": [described.document()]}
    (layout / "index.json").write_text(json.dumps(index))


async def test_a_layout_of_skopeo_is_read_and_its_blobs_verify(layout: Path) -> None:
    image = open_oci_layout(layout, AMD64, "1.0")
    assert image.parts.format is Format.OCI
    assert image.manifest is not None
    assert image.manifest.digest == _manifest_digest(layout)
    for source, described in zip(image.layers, image.manifest.layers, strict=True):
        async with compressed(source, CompressionOptions()) as layer:
            async for _ in layer:
                pass
        assert layer.digest == described.digest


def _index_of(layout: Path, *platforms: Platform) -> Descriptor:
    """Have the layout hold its image for each of these platforms, in an index of its own."""
    manifest = (layout / "blobs/sha256" / _manifest_digest(layout).hex).read_bytes()
    described = []
    for number, platform in enumerate(platforms):
        content = manifest + b" " * number  # another digest for each
        one = replace(Descriptor.of(content, OCI_MANIFEST), platform=platform)
        (layout / "blobs/sha256" / one.digest.hex).write_bytes(content)
        described.append(one)
    index = image_index(described)
    (layout / "blobs/sha256" / index.digest.hex).write_bytes(index.content)
    (layout / "index.json").write_bytes(image_index([index.descriptor]).content)
    return described[0]


def test_an_image_of_several_platforms_tells_which_were_left_out(
    layout: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(layout, tmp_path / "copy")
    attestation = Platform(os="unknown", architecture="unknown")
    _index_of(copy, ARM64, AMD64, attestation)
    image = open_oci_layout(copy, AMD64)
    assert image.choice == Choice(taken="linux/amd64", left=("linux/arm64",))
    flat = json.loads((copy / "index.json").read_bytes())["manifests"][0]["digest"]
    shutil.copy(copy / "blobs/sha256" / Digest.parse(flat).hex, copy / "index.json")
    assert open_oci_layout(copy, AMD64).choice == image.choice


def test_an_image_of_one_platform_leaves_none_out(layout: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(layout, tmp_path / "copy")
    _index_of(copy, ARM64)
    assert open_oci_layout(copy, AMD64).choice is None
    assert open_oci_layout(layout, AMD64).choice is None


def test_a_name_the_layout_lacks_is_not_found(layout: Path) -> None:
    with pytest.raises(NotFound) as caught:
        open_oci_layout(layout, AMD64, "2.0")
    assert caught.value.hint == "it has: 1.0"


def test_a_directory_that_is_no_layout_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_oci_layout(tmp_path, AMD64)


def test_an_index_without_end_is_refused(tmp_path: Path) -> None:
    index = tmp_path / "index.json"
    index.symlink_to("/dev/zero")
    with pytest.raises(InvalidValue, match=r"index\.json is no file"):
        open_oci_layout(tmp_path, AMD64)
    index.unlink()
    index.touch()
    os.truncate(index, 17 << 20)
    with pytest.raises(InvalidValue, match=r"index\.json is too large"):
        open_oci_layout(tmp_path, AMD64)


@pytest.mark.timeout(20)
def test_pipes_in_a_layout_are_not_waited_for(layout: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("index.json", f"blobs/sha256/{_manifest_digest(layout).hex}")):
        copy = shutil.copytree(layout, tmp_path / str(number))
        (copy / name).unlink()
        os.mkfifo(copy / name)
        with pytest.raises(InvalidValue, match="is no file"):
            open_oci_layout(copy, AMD64)


def test_a_damaged_configuration_is_a_content_mismatch(layout: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(layout, tmp_path / "copy")
    config = open_oci_layout(copy, AMD64).parts.config_digest
    (copy / "blobs" / "sha256" / config.hex).write_bytes(b"{}")
    with pytest.raises(ContentMismatch):
        open_oci_layout(copy, AMD64)


async def test_a_damaged_layer_is_a_content_mismatch(layout: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(layout, tmp_path / "copy")
    image = open_oci_layout(copy, AMD64)
    assert image.layers[0].packed is not None
    blob = copy / "blobs" / "sha256" / image.layers[0].packed.digest.hex
    blob.write_bytes(blob.read_bytes()[:-1] + b"\xff")

    async def read() -> None:
        async with compressed(image.layers[0], CompressionOptions()) as layer:
            async for _ in layer:
                pass

    with pytest.raises(ContentMismatch):
        await read()


def test_a_missing_layer_is_not_found(layout: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(layout, tmp_path / "copy")
    packed = open_oci_layout(copy, AMD64).layers[1].packed
    assert packed is not None
    (copy / "blobs" / "sha256" / packed.digest.hex).unlink()
    with pytest.raises(NotFound, match=packed.digest.hex):
        open_oci_layout(copy, AMD64)


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ],
)
@pytest.mark.parametrize("urls", [["https://example.com/base"], []])
def test_a_foreign_layer_may_be_missing_where_it_says_where_to_have_it(
    layout: Path, tmp_path: Path, media_type: str, urls: list[str]
) -> None:
    copy = shutil.copytree(layout, tmp_path / "copy")
    document = json.loads((copy / "blobs/sha256" / _manifest_digest(layout).hex).read_bytes())
    base = document["layers"][0]
    (copy / "blobs/sha256" / Digest.parse(base["digest"]).hex).unlink()
    base.update(mediaType=media_type, urls=urls)
    _put_image(copy, document)
    if urls:
        packed = open_oci_layout(copy, AMD64).layers[0].packed
        assert packed is not None
        assert packed.urls == tuple(urls)
    else:
        with pytest.raises(NotFound, match="is not there"):
            open_oci_layout(copy, AMD64)


@pytest.mark.parametrize("index", [b"", b"[]", b'{"schemaVersion":2}', b'{"schemaVersion":1}'])
def test_a_damaged_index_is_refused(tmp_path: Path, index: bytes) -> None:
    (tmp_path / "index.json").write_bytes(index)
    with pytest.raises((InvalidValue, NotFound)):
        open_oci_layout(tmp_path, AMD64)


@pytest.mark.parametrize("root", ["containerd/daemon", "containerd"])
def test_the_containerd_store_gives_the_packed_blobs(
    layout: Path, tmp_path: Path, root: str
) -> None:
    store = tmp_path / root / "io.containerd.content.v1.content"
    shutil.copytree(layout / "blobs", store / "blobs")
    image = open_containerd(tmp_path, _manifest_digest(layout), AMD64)
    assert [layer.origin for layer in image.layers] == ["containerd store"] * 2
    assert all(layer.packed for layer in image.layers)


def test_a_manifest_that_mixes_both_families_of_types_is_not_kept(
    layout: Path, tmp_path: Path
) -> None:
    """As the classic builder of engines 25 to 28 writes them."""
    blobs = tmp_path / "containerd" / "io.containerd.content.v1.content" / "blobs"
    shutil.copytree(layout / "blobs", blobs)
    document = json.loads((blobs / "sha256" / _manifest_digest(layout).hex).read_bytes())
    document["layers"][0]["mediaType"] = Format.DOCKER.layer_type(Compression.GZIP)
    content = json.dumps(document).encode()
    (blobs / "sha256" / Digest.of(content).hex).write_bytes(content)
    image = open_containerd(tmp_path, Digest.of(content), AMD64)
    assert image.manifest is None
    assert all(layer.packed for layer in image.layers)
    assert open_containerd(tmp_path, _manifest_digest(layout), AMD64).manifest is not None


def test_an_image_no_containerd_store_has_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_containerd(tmp_path, Digest("0" * 64), AMD64)


def _descriptor(digit: str, platform: Platform | None) -> Descriptor:
    return Descriptor(media_type=OCI_MANIFEST, digest=Digest(digit * 64), size=1, platform=platform)


def test_the_manifest_for_the_platform_is_chosen() -> None:
    unknown = Platform(os="unknown", architecture="unknown")
    amd, arm = _descriptor("a", AMD64), _descriptor("b", ARM64)
    attestation, bare = _descriptor("c", unknown), _descriptor("d", None)
    assert choose_manifest([arm, amd, attestation], AMD64) is amd
    assert choose_manifest([arm, attestation], AMD64) is arm
    assert choose_manifest([bare], AMD64) is bare


@pytest.mark.parametrize("platforms", [[], [None, None], [ARM64, None]])
def test_no_manifest_or_several_that_do_not_fit_are_not_found(
    platforms: list[Platform | None],
) -> None:
    manifests = [_descriptor(f"{n}", platform) for n, platform in enumerate(platforms)]
    with pytest.raises(LongshoreError, match="no image for linux/amd64"):
        choose_manifest(manifests, AMD64)
