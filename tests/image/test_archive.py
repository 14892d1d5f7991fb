"""docker save: as a stream from the engine, and as a file."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import ContentMismatch, InvalidValue, LongshoreError, NotFound
from longshore.image.archive import legacy_ids, open_archive
from longshore.image.compression import CompressionOptions
from longshore.image.export import ExportedImage
from longshore.image.layer import LayerSource
from longshore.image.overlay2 import open_overlay2
from longshore.image.pipeline import compressed
from longshore.image.tar_stream import TarStream
from longshore.oci.digest import Digest
from longshore.testing.images import Layer, RandomLayer, image_config, write_archive

LAYERS: list[Layer] = [
    RandomLayer(content=300_000, seed=11),
    RandomLayer(content=20_000, files=9, seed=12),
    RandomLayer(content=5, seed=13),
]


async def _in_chunks(content: bytes, length: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), length):
        yield content[start : start + length]


async def _diff_id(source: LayerSource) -> Digest | None:
    async with compressed(source, CompressionOptions()) as layer:
        async for _ in layer:
            pass
    return layer.diff_id


async def _read_all(image: ExportedImage) -> None:
    async for source in image.arrivals():
        await _diff_id(source)


@pytest.fixture(scope="module")
def saved(
    load: object, docker_command: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Digest, Path]:
    assert callable(load)
    image_id = load(LAYERS)
    path = tmp_path_factory.mktemp("saved") / "image.tar"
    subprocess.run([*docker_command, "save", "-o", str(path), image_id.hex], check=True)
    return image_id, path


@pytest.mark.engine
@pytest.mark.parametrize("chunk", [777, 65_536, 1 << 22])
async def test_the_export_of_the_engine_gives_every_layer_and_the_parts(
    saved: tuple[Digest, Path], data_root: Path, chunk: int
) -> None:
    image_id, path = saved
    parts = open_overlay2(data_root, image_id).parts
    image = ExportedImage(_in_chunks(path.read_bytes(), chunk), diff_ids=parts.diff_ids)
    announced = []
    async for layer in image.arrivals():
        announced.append(layer.diff_id)
        assert await _diff_id(layer) == layer.diff_id
    assert set(announced) == set(parts.diff_ids)
    assert image.parts == parts


@pytest.mark.engine
async def test_layers_not_wanted_are_skipped(saved: tuple[Digest, Path], data_root: Path) -> None:
    image_id, path = saved
    wanted = open_overlay2(data_root, image_id).parts.diff_ids[1]
    image = ExportedImage(
        _in_chunks(path.read_bytes()), diff_ids=open_overlay2(data_root, image_id).parts.diff_ids
    )
    read = [await _diff_id(s) async for s in image.arrivals() if s.diff_id == wanted]
    assert read == [wanted]
    assert image.parts.config_digest == image_id


@pytest.mark.engine
def test_a_saved_file_opens_as_an_image(saved: tuple[Digest, Path], data_root: Path) -> None:
    image_id, path = saved
    assert open_archive(path).parts == open_overlay2(data_root, image_id).parts


@pytest.mark.engine
async def test_layers_of_a_saved_file_can_be_read_in_any_order(saved: tuple[Digest, Path]) -> None:
    image = open_archive(saved[1])
    for layer in reversed(image.layers):
        assert await _diff_id(layer) == layer.diff_id


@pytest.mark.engine
def test_legacy_ids_are_the_names_the_engine_writes(
    saved: tuple[Digest, Path], data_root: Path
) -> None:
    image_id, path = saved
    with tarfile.open(path) as tar:
        manifest = json.load(tar.extractfile("manifest.json") or io.BytesIO())
    names = [name.split("/")[0] for name in manifest[0]["Layers"][:-1]]
    assert list(legacy_ids(open_overlay2(data_root, image_id).parts.diff_ids)) == names


def _archive(tmp_path: Path, members: dict[str, bytes]) -> Path:
    path = tmp_path / "made.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def _layout(packed: bool) -> tuple[dict[str, bytes], Digest]:
    """What engines from 25 on write: an OCI layout with a manifest.json."""
    tar = b"".join(RandomLayer(content=100_000).chunks())
    diff_id = Digest.of(tar)
    blob = gzip.compress(tar) if packed else tar
    config = image_config([diff_id])
    layer, conf = f"blobs/sha256/{Digest.of(blob).hex}", f"blobs/sha256/{Digest.of(config).hex}"
    saved = [{"Config": conf, "RepoTags": ["app:1"], "Layers": [layer]}]
    members = {layer: blob, conf: config, "index.json": b"{}"}
    return members | {"manifest.json": json.dumps(saved).encode()}, diff_id


async def test_an_export_of_engine_25_names_its_layers(tmp_path: Path) -> None:
    members, diff_id = _layout(packed=False)
    image = ExportedImage(_in_chunks(_archive(tmp_path, members).read_bytes()))
    layers = [(s.diff_id, s.packed, await _diff_id(s)) async for s in image.arrivals()]
    assert layers == [(diff_id, None, diff_id)]
    assert image.parts.diff_ids == (diff_id,)


async def test_an_export_of_podman_names_its_layers(tmp_path: Path) -> None:
    tars = [b"".join(RandomLayer(content=9_000, seed=seed).chunks()) for seed in (1, 2, 3)]
    diff_ids = [Digest.of(tar) for tar in tars]
    config = image_config(diff_ids)
    layers = {f"{diff_id.hex}.tar": tar for diff_id, tar in zip(diff_ids, tars, strict=True)}
    conf = f"{Digest.of(config).hex}.json"
    saved = [{"Config": conf, "RepoTags": [], "Layers": list(layers)}]
    members = layers | {conf: config, "manifest.json": json.dumps(saved).encode()}
    content = _archive(tmp_path, members).read_bytes()
    image = ExportedImage(_in_chunks(content), diff_ids=diff_ids)
    announced = [(layer.diff_id, await _diff_id(layer)) async for layer in image.arrivals()]
    assert announced == [(diff_id, diff_id) for diff_id in diff_ids]
    assert image.parts.diff_ids == tuple(diff_ids)


async def test_an_export_of_the_containerd_store_gives_packed_layers(tmp_path: Path) -> None:
    members, diff_id = _layout(packed=True)
    image = ExportedImage(_in_chunks(_archive(tmp_path, members).read_bytes()))
    async for source in image.arrivals():
        assert source.packed is not None
        async with compressed(source, CompressionOptions()) as layer:
            blob = b"".join([bytes(chunk) async for chunk in layer])
        assert Digest.of(gzip.decompress(blob)) == diff_id
        assert layer.digest == source.packed.digest
    assert image.diff_id_of_packed == {layer.digest: diff_id}


async def test_a_gzipped_layer_in_a_file_is_unpacked_and_verified(tmp_path: Path) -> None:
    members, diff_id = _layout(packed=True)
    (layer,) = open_archive(_archive(tmp_path, members)).layers
    assert await _diff_id(layer) == diff_id


async def test_an_export_cut_anywhere_ends_in_an_error_of_ours(tmp_path: Path) -> None:
    members, _ = _layout(packed=False)
    whole = _archive(tmp_path, members).read_bytes()
    for end in (0, 100, 512, 5_000, 104_000):
        image = ExportedImage(_in_chunks(whole[:end]))
        with pytest.raises((ContentMismatch, InvalidValue)):
            await _read_all(image)


async def test_an_engine_that_lacks_a_part_of_an_image_is_told_with_what_to_do(
    tmp_path: Path,
) -> None:
    """As one with containerd's store does, of an image whose layers it had packed otherwise."""
    manifest = b'[{"Config":"blobs/sha256/ab","Layers":[],"RepoTags":null}]'
    image = ExportedImage(_in_chunks(_archive(tmp_path, {"manifest.json": manifest}).read_bytes()))
    with pytest.raises(InvalidValue, match="has no blobs/sha256/ab") as caught:
        await _read_all(image)
    assert "--pusher engine" in (caught.value.hint or "")


@given(st.binary(max_size=3000))
async def test_any_bytes_at_all_end_in_an_error_of_ours(content: bytes) -> None:
    image = ExportedImage(_in_chunks(content))
    with pytest.raises(LongshoreError):
        async for _ in image.arrivals():
            pass


async def test_long_names_of_both_kinds_are_read() -> None:
    for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        buffer, name = io.BytesIO(), "n" * 300 + "é"
        with tarfile.open(fileobj=buffer, mode="w", format=kind) as tar:
            info = tarfile.TarInfo(name)
            info.size = 700
            tar.addfile(info, io.BytesIO(b"c" * 700))
            tar.addfile(tarfile.TarInfo("next"))
        stream = TarStream(_in_chunks(buffer.getvalue(), 100))
        first = await stream.next()
        assert first is not None
        assert (first.name, first.size) == (name, 700)
        assert await stream.document(700) == b"c" * 700
        second = await stream.next()
        assert second is not None
        assert second.name == "next"
        assert await stream.next() is None


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({}, InvalidValue),
        ({"manifest.json": b"{"}, InvalidValue),
        ({"manifest.json": b"[]"}, NotFound),
        ({"manifest.json": b'[{"Config":"c","Layers":[],"RepoTags":null}]'}, InvalidValue),
        (
            {
                "c": b'{"rootfs":{"diff_ids":[]}}',
                "manifest.json": b'[{"Config":"c","Layers":["l"],"RepoTags":null}]',
            },
            InvalidValue,
        ),
    ],
    ids=["empty", "no json", "no image", "no config", "layers"],
)
async def test_what_is_no_docker_archive_is_refused(
    tmp_path: Path, members: dict[str, bytes], error: type[Exception]
) -> None:
    path = _archive(tmp_path, members)
    with pytest.raises(error):
        open_archive(path)
    with pytest.raises(error):
        async for _ in ExportedImage(_in_chunks(path.read_bytes())).arrivals():
            pass


def _header(size: int, kind: bytes) -> bytes:
    info = tarfile.TarInfo("layer.tar")
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def _pax(size: str) -> bytes:
    info = tarfile.TarInfo("layer.tar")
    info.pax_headers = {"size": size}
    return info.tobuf(tarfile.PAX_FORMAT)


@pytest.mark.parametrize(
    "content",
    [
        *(_header(size, kind) for size in (-1, 2**80) for kind in (tarfile.REGTYPE, b"x", b"L")),
        *(_pax(size) for size in ("-1", "²", "9" * 30, "9" * 5000)),
    ],
)
async def test_a_size_that_no_file_can_have_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(content + bytes(10_240))
    with pytest.raises(LongshoreError):
        open_archive(path)
    with pytest.raises(LongshoreError):
        async for _ in ExportedImage(_in_chunks(path.read_bytes())).arrivals():
            pass


def test_a_compressed_archive_gets_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "image.tar.gz"
    path.write_bytes(gzip.compress(bytes(10_240)))
    with pytest.raises(InvalidValue) as caught:
        open_archive(path)
    assert "unpack" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["index.json", "./index.json"])
def test_a_layout_in_an_archive_gets_the_hint_to_unpack_it(tmp_path: Path, name: str) -> None:
    """As podman save --format oci-archive and skopeo's oci-archive: write them."""
    path = _archive(tmp_path, {"oci-layout": b"{}", name: b"{}"})
    with pytest.raises(InvalidValue) as caught:
        open_archive(path)
    assert caught.value.message == f"{path} is an OCI layout in an archive, not a docker archive"
    assert caught.value.hint == (
        f"unpack it and push the directory: mkdir layout && tar -xf {path} -C layout && "
        "longshore push ./layout registry/name:tag"
    )


def test_an_archive_that_is_no_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    """Whoever opens a pipe waits until somebody writes, and none can be read in any order."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(InvalidValue, match="is neither a file nor a directory") as caught:
        open_archive(path)
    assert "write the archive into a file first" in (caught.value.hint or "")


def test_an_archive_of_several_images_asks_which(tmp_path: Path) -> None:
    members, _ = _layout(packed=False)
    (entry,) = json.loads(members["manifest.json"])
    both = [entry, entry | {"RepoTags": ["app:2"]}]
    path = _archive(tmp_path, members | {"manifest.json": json.dumps(both).encode()})
    assert len(open_archive(path, "app:2").layers) == 1
    with pytest.raises(NotFound) as caught:
        open_archive(path)
    assert caught.value.hint == "name one of: app:1, app:2"


@pytest.mark.parametrize("tag", ["docker.io/library/bb:two", "bb:two", "docker.io/bb:two"])
@pytest.mark.parametrize("name", ["docker.io/library/bb:two", "bb:two", "library/bb:two"])
def test_an_image_of_an_archive_is_found_by_every_spelling_of_its_name(
    tmp_path: Path, tag: str, name: str
) -> None:
    """Docker writes ``bb:two`` into archives, skopeo ``docker.io/library/bb:two``."""
    members, _ = _layout(packed=False)
    (entry,) = json.loads(members["manifest.json"])
    both = [entry | {"Layers": []}, entry | {"RepoTags": [tag]}]
    path = _archive(tmp_path, members | {"manifest.json": json.dumps(both).encode()})
    assert len(open_archive(path, name).layers) == 1


def test_the_archives_of_our_tests_are_what_skopeo_reads(tmp_path: Path) -> None:
    if not shutil.which("skopeo"):
        pytest.skip("skopeo is not installed")
    path = tmp_path / "image.tar"
    diff_ids = write_archive(path, "app:1", LAYERS)
    ran = subprocess.run(
        ["skopeo", "inspect", "--config", f"docker-archive:{path}"], check=True, capture_output=True
    )
    assert json.loads(ran.stdout)["rootfs"]["diff_ids"] == list(map(str, diff_ids))


def test_random_layers_are_as_long_as_they_say() -> None:
    layer = RandomLayer(content=123_456, files=1001, seed=5)
    tar = b"".join(layer.chunks())
    assert len(tar) == layer.size
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        assert sum(m.size for m in opened if m.isreg()) == 123_456
    assert hashlib.sha256(tar).digest() == hashlib.sha256(b"".join(layer.chunks())).digest()
