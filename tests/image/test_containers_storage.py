"""The store of Podman and Buildah is read as skopeo, which has the same library, writes it."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace

from longshore.errors import ContentMismatch, NotFound
from longshore.image.compression import CompressionOptions
from longshore.image.containers_storage import open_containers_storage
from longshore.image.pipeline import compressed
from longshore.image.recorded import RecordedImage
from longshore.oci.digest import Digest
from longshore.oci.media_types import Format
from longshore.testing.images import TarLayer, layer_content, write_archive
from longshore.testing.odd_layer import layer_below, odd_layer

pytestmark = pytest.mark.engine

NAME = "example/odd:latest"
Store: TypeAlias = tuple[Path, Digest]
"""Its root, and the id of the image in it."""
LAYERS = [layer_below(), odd_layer(), TarLayer(bytes(1024))]


def _fill(root: Path, folder: Path, fmt: str) -> Digest:
    """Put an image of LAYERS into a store at `root`; its id."""
    archive = folder / "image.tar"
    write_archive(archive, NAME, LAYERS)
    store = f"overlay@{root}+{folder / 'run'}:overlay.skip_mount_home=true"  # no mount is left
    command = ["skopeo", "--insecure-policy", "copy", "--format", fmt]
    done = subprocess.run(
        [*command, f"docker-archive:{archive}", f"containers-storage:[{store}]{NAME}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (image,) = json.loads((root / "overlay-images" / "images.json").read_text())
    return Digest(image["id"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("podman")
    return folder / "root", _fill(folder / "root", folder, "v2s2")


@pytest.fixture
def image(made: Store) -> RecordedImage:
    return open_containers_storage(*made)


async def test_layers_with_every_kind_of_entry_are_put_together_byte_for_byte(
    image: RecordedImage,
) -> None:
    assert [await layer_content(layer) for layer in image.layers] == [layer.tar for layer in LAYERS]
    assert [layer.size for layer in image.layers] == [len(layer.tar) for layer in LAYERS]
    assert tuple(layer.diff_id for layer in image.layers) == image.parts.diff_ids


async def test_a_large_layer_is_packed_by_a_process_of_its_own(image: RecordedImage) -> None:
    layer = image.layers[1]
    large = replace(layer, size=1 << 30)
    assert large.packer(CompressionOptions()) is not None
    async with compressed(large, CompressionOptions()) as packed:
        blob = b"".join([bytes(chunk) async for chunk in packed])
    assert gzip.decompress(blob) == odd_layer().tar


@pytest.mark.parametrize(("option", "expected"), [("v2s2", Format.DOCKER), ("oci", Format.OCI)])
def test_an_image_goes_out_as_the_kind_it_was_put_in_as(
    tmp_path: Path, option: str, expected: Format
) -> None:
    root = tmp_path / "root"
    assert open_containers_storage(root, _fill(root, tmp_path, option)).parts.format is expected


# --- what cannot be read is told, and there are other ways ---------------------------------------


@pytest.fixture
def copied(made: Store, tmp_path: Path) -> Store:
    """The same in a store that a test may damage."""
    subprocess.run(["cp", "-a", made[0], tmp_path / "copy"], check=True)
    return tmp_path / "copy", made[1]


def _with_layers(root: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    path = root / "overlay-layers" / "layers.json"
    layers = json.loads(path.read_text())
    change(layers)
    path.write_text(json.dumps(layers))


def _top(root: Path, image_id: Digest) -> str:
    images = json.loads((root / "overlay-images" / "images.json").read_text())
    return str(next(one["layer"] for one in images if one["id"] == image_id.hex))


def test_an_image_that_is_not_there_is_not_found(made: Store) -> None:
    with pytest.raises(NotFound, match=f"{'0' * 64} is not in it, perhaps in an additional one"):
        open_containers_storage(made[0], Digest("0" * 64))


def test_docker_s_old_driver_of_that_name_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "image" / "overlay").mkdir(parents=True)
    with pytest.raises(NotFound, match="the engine's store has no "):
        open_containers_storage(tmp_path, Digest("0" * 64))


def test_an_image_whose_entry_is_there_and_whose_files_are_not_is_not_found(copied: Store) -> None:
    root, image_id = copied
    (root / "overlay-images" / image_id.hex / "manifest").unlink()
    with pytest.raises(NotFound, match=r"the engine's store has no \S+/manifest: No such file"):
        open_containers_storage(root, image_id)


@pytest.mark.parametrize("text", ["", "{}", '[{"id": 1}]', "[null]", '[{"id": "\xff"}]'])
def test_lists_of_another_shape_are_told_with_their_place(copied: Store, text: str) -> None:
    root, image_id = copied
    path = root / "overlay-layers" / "layers.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(NotFound, match=f"not as expected: {path}: "):
        open_containers_storage(root, image_id)


def test_files_kept_with_composefs_are_not_read(copied: Store) -> None:
    root, image_id = copied
    (root / "overlay" / _top(root, image_id) / "composefs-data").mkdir()
    with pytest.raises(NotFound, match=r"layer sha256:\w+ is kept with composefs"):
        open_containers_storage(root, image_id)


def test_a_layer_without_a_record_is_not_found(copied: Store) -> None:
    root, image_id = copied
    (root / "overlay-layers" / f"{_top(root, image_id)}.tar-split.gz").unlink()
    with pytest.raises(NotFound, match=r"has no .*\.tar-split\.gz: No such file"):
        open_containers_storage(root, image_id)


def test_a_layer_of_another_digest_is_not_taken(copied: Store) -> None:
    """Pulled in parts, a layer may have none (``toc-digest`` instead)."""
    root, image_id = copied
    _with_layers(root, lambda layers: layers[0].pop("diff-digest"))
    with pytest.raises(NotFound, match="has another digest there"):
        open_containers_storage(root, image_id)


def test_a_layer_that_is_its_own_parent_ends_the_search(copied: Store) -> None:
    root, image_id = copied
    _with_layers(root, lambda layers: layers[0].update(parent=_top(root, image_id)))
    with pytest.raises(NotFound, match="4 layers for an image of 3"):
        open_containers_storage(root, image_id)


def test_a_parent_of_another_store_is_not_found(copied: Store) -> None:
    root, image_id = copied
    _with_layers(root, lambda layers: layers[0].update(parent="e" * 64))
    with pytest.raises(NotFound, match=f"{'e' * 64} is not in it"):
        open_containers_storage(root, image_id)


def test_a_layer_whose_name_is_a_path_is_refused(copied: Store) -> None:
    root, image_id = copied
    top = _top(root, image_id)
    images = root / "overlay-images" / "images.json"
    images.write_text(images.read_text().replace(f'"layer":"{top}"', '"layer":"../../etc"'))

    def rename(layers: list[dict[str, Any]]) -> None:
        next(one for one in layers if one["id"] == top)["id"] = "../../etc"

    _with_layers(root, rename)
    with pytest.raises(NotFound, match=r'"\.\./\.\./etc" is not the name of a layer'):
        open_containers_storage(root, image_id)


def test_a_changed_configuration_is_a_content_mismatch(copied: Store) -> None:
    root, image_id = copied
    (config,) = (root / "overlay-images" / image_id.hex).glob("=c2hhMjU2O*")
    config.write_bytes(config.read_bytes() + b" ")
    with pytest.raises(ContentMismatch, match=r"configuration of image \S+ is damaged"):
        open_containers_storage(root, image_id)
