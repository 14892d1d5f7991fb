"""Which image of an OCI layout is meant, by the names in its index."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from longshore.errors import NotFound
from longshore.image.files import FileImage
from longshore.image.oci_layout import open_oci_layout
from longshore.oci.descriptor import Descriptor
from longshore.oci.manifest import image_index, image_manifest
from longshore.oci.media_types import Format
from longshore.oci.platform import Platform

AMD64 = Platform(os="linux", architecture="amd64")
TAG = "org.opencontainers.image.ref.name"
NAME = "io.containerd.image.name"


def _layout(path: Path, images: Sequence[tuple[int, dict[str, str]]]) -> Path:
    """Images without layers, told apart by a number, with annotations."""
    blobs = path / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    listed = []
    for number, names in images:
        config = json.dumps({"number": number, "rootfs": {"diff_ids": []}}).encode()
        described = Descriptor.of(config, Format.OCI.config_type)
        manifest = image_manifest(described, [], fmt=Format.OCI)
        (blobs / described.digest.hex).write_bytes(config)
        (blobs / manifest.digest.hex).write_bytes(manifest.content)
        listed.append(replace(manifest.descriptor, annotations=names))
    (path / "index.json").write_bytes(image_index(listed).content)
    return path


def _number(image: FileImage) -> int:
    return int(json.loads(image.parts.config)["number"])


def test_two_names_of_one_image_are_one_image(tmp_path: Path) -> None:
    layout = _layout(tmp_path / "oci", [(1, {TAG: "one"}), (1, {TAG: "other"})])
    assert _number(open_oci_layout(layout, AMD64)) == 1


def test_of_several_named_images_the_names_to_choose_from_are_told(tmp_path: Path) -> None:
    images = [(1, {TAG: "one"}), (2, {NAME: "docker.io/library/app:two", TAG: "two"}), (3, {})]
    layout = _layout(tmp_path / "oci", images)
    with pytest.raises(NotFound) as caught:
        open_oci_layout(layout, AMD64)
    assert caught.value.message == f"{layout} has 3 images to choose from"
    assert caught.value.hint == "name one of: docker.io/library/app:two, one"


def test_a_platform_in_the_index_makes_no_choice_between_names(tmp_path: Path) -> None:
    """The first one was taken, whichever that is."""
    layout = _layout(tmp_path / "oci", [(1, {TAG: "one"}), (2, {TAG: "two"})])
    index = json.loads((layout / "index.json").read_bytes())
    for manifest in index["manifests"]:
        manifest["platform"] = AMD64.document()
    (layout / "index.json").write_text(json.dumps(index))
    with pytest.raises(NotFound) as caught:
        open_oci_layout(layout, AMD64)
    assert caught.value.hint == "name one of: one, two"


@pytest.mark.parametrize(
    ("name", "number"),
    [("docker.io/library/app:1", 1), ("app:1", 1), ("quay.io/app:1", 2), ("2", 3), ("app:2", 3)],
)
def test_an_image_is_chosen_by_the_name_that_containerd_gave_it(
    tmp_path: Path, name: str, number: int
) -> None:
    names = ["docker.io/library/app:1", "quay.io/app:1", "docker.io/library/app:2"]
    images = [(n, {NAME: one, TAG: one[-1]}) for n, one in enumerate(names, 1)]
    assert _number(open_oci_layout(_layout(tmp_path / "oci", images), AMD64, name)) == number


def test_of_one_tag_of_several_images_their_whole_names_are_told(tmp_path: Path) -> None:
    images = [(n, {NAME: f"docker.io/library/{one}:1", TAG: "1"}) for n, one in enumerate("ab")]
    layout = _layout(tmp_path / "oci", images)
    with pytest.raises(NotFound) as caught:
        open_oci_layout(layout, AMD64, "1")
    assert caught.value.message == f'{layout} has 2 images "1" to choose from'
    assert caught.value.hint == "name one of: docker.io/library/a:1, docker.io/library/b:1"


def test_a_name_with_another_tag_is_not_found(tmp_path: Path) -> None:
    layout = _layout(tmp_path / "oci", [(1, {NAME: "docker.io/library/app:1", TAG: "1"})])
    with pytest.raises(NotFound) as caught:
        open_oci_layout(layout, AMD64, "app:2")
    assert caught.value.message == f'{layout} has no image "app:2"'
    assert caught.value.hint == "it has: docker.io/library/app:1"
