"""Layers put together from the engine's store are the layers, to the byte."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from longshore.errors import ContentMismatch, EngineError, NotFound
from longshore.image.compression import CompressionOptions
from longshore.image.layer import LayerSource
from longshore.image.overlay2 import chain_ids, open_overlay2
from longshore.image.pipeline import compressed
from longshore.image.recorded import RecordedImage, RecordedLayer
from longshore.image.tree import unreadable
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression
from longshore.testing.images import Layer, RandomLayer, TarLayer, layer_content
from longshore.testing.odd_layer import layer_below, odd_layer

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def odd(load: object, data_root: Path) -> RecordedImage:
    assert callable(load)
    layers: list[Layer] = [layer_below(), odd_layer(), TarLayer(bytes(1024))]
    return open_overlay2(data_root, load(layers))


async def test_a_layer_with_every_kind_of_entry_is_reassembled_byte_for_byte(
    odd: RecordedImage,
) -> None:
    assert await layer_content(odd.layers[0]) == layer_below().tar
    assert await layer_content(odd.layers[1]) == odd_layer().tar


async def test_an_empty_layer_is_reassembled(odd: RecordedImage) -> None:
    assert await layer_content(odd.layers[2]) == bytes(1024)


async def _blob(layer: LayerSource, options: CompressionOptions | None = None) -> bytes:
    async with compressed(layer, options or CompressionOptions()) as packed:
        blob = b"".join([bytes(chunk) async for chunk in packed])
    assert (packed.digest, packed.size) == (Digest.of(blob), len(blob))
    return blob


@pytest.mark.parametrize("compression", Compression)
async def test_a_process_of_its_own_makes_the_same_blob(
    odd: RecordedImage, compression: Compression
) -> None:
    options = CompressionOptions(compression=compression)
    layer = odd.layers[1]
    assert await _blob(_large(layer), options) == await _blob(layer, options)


@pytest.mark.parametrize("threads", [1, 2, 5])
async def test_a_large_layer_is_the_same_blob_on_any_number_of_threads(
    load: object, data_root: Path, threads: int
) -> None:
    assert callable(load)
    layers = [RandomLayer(content=40 << 20, files=50, seed=3)]
    layer = open_overlay2(data_root, load(layers)).layers[0]
    blob = await _blob(layer, CompressionOptions(threads=threads))
    assert Digest.of(gzip.decompress(blob)) == layer.diff_id


async def test_leaving_half_way_ends_the_process(load: object, data_root: Path) -> None:
    assert callable(load)
    layer = open_overlay2(data_root, load([RandomLayer(content=40 << 20, seed=3)])).layers[0]
    before = _children()
    async with compressed(layer, CompressionOptions()) as packed:
        await anext(packed)
        assert _children() > before
    assert _children() == before


async def test_a_packing_process_that_is_killed_is_an_error_that_says_so(
    load: object, data_root: Path
) -> None:
    assert callable(load)
    layer = open_overlay2(data_root, load([RandomLayer(content=40 << 20, seed=3)])).layers[0]
    before = _children()

    async def kill_it() -> None:
        async with compressed(layer, CompressionOptions()) as packed:
            await anext(packed)
            for pid in _children() - before:
                os.kill(int(pid), signal.SIGKILL)
            async for _ in packed:
                pass

    with pytest.raises(EngineError, match="was killed") as told:
        await kill_it()
    assert "memory" in (told.value.hint or "")


async def test_a_layer_is_packed_here_where_no_process_can_be_started(
    load: object, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(load)
    layer = open_overlay2(data_root, load([RandomLayer(content=40 << 20, seed=3)])).layers[0]
    apart = await _blob(layer, CompressionOptions())
    monkeypatch.setattr(sys, "executable", "/longshore/has/no/such/program")
    assert await _blob(layer, CompressionOptions()) == apart


def _large(layer: RecordedLayer) -> RecordedLayer:
    """The same, for a process of its own."""
    return replace(layer, size=1 << 30)


def _children() -> set[str]:
    """The process ids of our children (proc(5), ``task/[tid]/children``); an engine may be one."""
    files = Path("/proc/self/task").glob("*/children")
    return {pid for file in files for pid in file.read_text().split()}


async def test_modules_in_the_working_directory_are_not_imported_by_the_process(
    odd: RecordedImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gzip", "struct", "longshore"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    assert gzip.decompress(await _blob(_large(odd.layers[1]))) == odd_layer().tar


async def test_ten_thousand_small_files_survive(load: object, data_root: Path) -> None:
    assert callable(load)
    image_id = load([RandomLayer(content=20 << 20, files=10_000, seed=2)])
    layer = open_overlay2(data_root, image_id).layers[0]
    async with compressed(layer, CompressionOptions()) as packed:
        async for _ in packed:
            pass
    assert packed.diff_id == layer.diff_id


@pytest.fixture
def copied(odd: RecordedImage, tmp_path: Path) -> RecordedLayer:
    """The odd layer in a store that a test may damage."""
    layer = odd.layers[1]
    shutil.copytree(layer.directory, tmp_path / "diff", symlinks=True, ignore=_devices)
    shutil.copy(layer.record, tmp_path / "record")
    return replace(layer, directory=tmp_path / "diff", record=tmp_path / "record")


def _devices(directory: str, names: list[str]) -> list[str]:
    return [n for n in names if n in ("null", "fifo", "gone", ".wh.gone")]


async def _push(layer: LayerSource) -> None:
    async with compressed(layer, CompressionOptions()) as packed:
        async for _ in packed:
            pass


async def test_the_copied_layer_is_still_good(copied: RecordedLayer) -> None:
    await _push(copied)


async def test_a_layer_that_is_removed_before_it_is_read_is_not_there_any_more(
    copied: RecordedLayer,
) -> None:
    copied.record.unlink()
    with pytest.raises(NotFound, match=r"has no .*record"):
        await _push(copied)


async def test_a_changed_file_is_a_content_mismatch(copied: RecordedLayer) -> None:
    (copied.directory / "dir" / "file").write_bytes(b"contenT\n")
    with pytest.raises(ContentMismatch, match="overlay2, has the digest"):
        await _push(copied)


async def test_a_truncated_file_is_a_content_mismatch_that_names_it(copied: RecordedLayer) -> None:
    os.truncate(copied.directory / "zeros", 5)
    with pytest.raises(ContentMismatch, match=r'"zeros".*shorter'):
        await _push(copied)


async def test_a_missing_file_is_a_content_mismatch_that_names_it(copied: RecordedLayer) -> None:
    (copied.directory / "xattr").unlink()
    with pytest.raises(ContentMismatch, match=r'"xattr".*No such file'):
        await _push(copied)


async def test_the_packing_process_reports_damage_too(copied: RecordedLayer) -> None:
    (copied.directory / "xattr").unlink()
    with pytest.raises(ContentMismatch, match=r'"xattr".*No such file'):
        await _push(_large(copied))


async def test_the_packing_process_lets_no_changed_layer_become_a_whole_blob(
    copied: RecordedLayer,
) -> None:
    (copied.directory / "dir" / "file").write_bytes(b"contenT\n")
    received = bytearray()

    async def collect() -> None:
        async with compressed(_large(copied), CompressionOptions()) as packed:
            async for chunk in packed:
                received.extend(chunk)

    with pytest.raises(ContentMismatch, match="engine's store, has the digest"):
        await collect()
    with pytest.raises(EOFError):
        gzip.decompress(received)


def test_a_file_of_another_user_is_not_found_rather_than_damaged(tmp_path: Path) -> None:
    denied = PermissionError(errno.EACCES, "Permission denied")
    assert isinstance(unreadable(b"etc/shadow", denied), NotFound)
    assert "etc/shadow" in unreadable(b"etc/shadow", denied).message


async def test_a_file_replaced_by_a_symlink_is_not_followed(copied: RecordedLayer) -> None:
    secret = copied.directory.parent / "secret"
    secret.write_bytes(b"content\n")
    (copied.directory / "dir" / "file").unlink()
    (copied.directory / "dir" / "file").symlink_to(secret)
    with pytest.raises(ContentMismatch, match="no regular file"):
        await _push(copied)


async def test_a_directory_replaced_by_a_symlink_is_not_followed(copied: RecordedLayer) -> None:
    outside = copied.directory.parent / "outside"
    (copied.directory / "dir").rename(outside)
    (copied.directory / "dir").symlink_to(outside)
    with pytest.raises(ContentMismatch, match=r'"dir/file"'):
        await _push(copied)


async def test_a_fifo_in_the_place_of_a_file_does_not_block(copied: RecordedLayer) -> None:
    (copied.directory / "setuid").unlink()
    os.mkfifo(copied.directory / "setuid")
    with pytest.raises(ContentMismatch, match="no regular file"):
        await _push(copied)


@pytest.mark.parametrize("name", ["../secret", "/../secret", "dir/../../secret", "a/../../secret"])
async def test_names_cannot_leave_the_layer(copied: RecordedLayer, name: str) -> None:
    (copied.directory.parent / "secret").write_bytes(b"s" * 10)
    entry = {"type": 1, "name": name, "size": 10, "payload": "AAAAAAAAAAA=", "position": 0}
    copied.record.write_bytes(gzip.compress(json.dumps(entry).encode() + b"\n"))
    with pytest.raises(ContentMismatch, match="No such file"):
        await layer_content(copied)


@pytest.mark.parametrize(
    "record",
    [
        b"not a gzip",
        gzip.compress(b'{"type":2,"payload":"AAAA","position":0}\n')[:-12],
        gzip.compress(b'{"type":2,"payload":"A","position":0}\n'),
        gzip.compress(b'{"type":3}\n'),
        gzip.compress(b"{\n"),
        gzip.compress(b'{"type":1,"size":5}\n'),
    ],
    ids=["no gzip", "cut", "base64", "kind", "json", "no name"],
)
async def test_a_damaged_record_is_a_content_mismatch(copied: RecordedLayer, record: bytes) -> None:
    copied.record.write_bytes(record)
    with pytest.raises(ContentMismatch, match="tar-split"):
        await layer_content(copied)


def test_an_image_the_store_does_not_have_is_not_found(data_root: Path) -> None:
    with pytest.raises(NotFound, match=r"has no .*imagedb"):
        open_overlay2(data_root, Digest("0" * 64))


def test_a_store_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_overlay2(tmp_path, Digest("0" * 64))


def test_a_cache_id_that_is_a_path_is_refused(odd: RecordedImage, tmp_path: Path) -> None:
    base = tmp_path / "image" / "overlay2"
    config = base / "imagedb" / "content" / "sha256" / odd.parts.config_digest.hex
    config.parent.mkdir(parents=True)
    config.write_bytes(odd.parts.config)
    entry = base / "layerdb" / "sha256" / odd.parts.diff_ids[0].hex
    entry.mkdir(parents=True)
    (entry / "diff").write_text(str(odd.parts.diff_ids[0]))
    (entry / "cache-id").write_text("../../../etc")
    with pytest.raises(NotFound, match="not the name of a layer's directory"):
        open_overlay2(tmp_path, odd.parts.config_digest)


def test_chain_ids_are_those_of_the_specification() -> None:
    one, two = Digest("1" * 64), Digest("2" * 64)
    both = hashlib.sha256(f"{one} {two}".encode()).hexdigest()
    assert chain_ids([one, two]) == (one, Digest(both))
