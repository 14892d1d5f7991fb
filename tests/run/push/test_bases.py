"""What is estimated of layers before they are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from longshore.engine.spec import ImageInfo
from longshore.oci.digest import Digest
from longshore.run.push.bases import bases_of, certain_sizes, published_at, sizes_of
from longshore.run.push.port import PushRequest
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage

LAYERS = tuple(Digest.of(name) for name in (b"base", b"middle", b"top"))


def image(size: int = 900) -> ImageInfo:
    return ImageInfo(
        id=str(Digest.of(b"image")),
        environment=(),
        exposed_ports=(),
        volumes=(),
        diff_ids=tuple(map(str, LAYERS)),
        repo_digests=(),
        size=size,
        created="",
    )


@pytest.mark.parametrize(
    ("added", "sizes"),
    [
        ((100, 0, 3), (100, 0, 3)),  # a step for each layer
        ((100, 0, 20, 0, 3), (100, 20, 3)),  # ENV and CMD made none
        ((0, 100, 0, 0, 3), (0, 100, 3)),  # some layer is empty
        ((1, 2, 3, 4, 5), (300, 300, 300)),  # a history of something else
        ((), (0, 0, 0)),
    ],
)
def test_the_history_tells_how_large_the_layers_are(
    added: tuple[int, ...], sizes: tuple[int, ...]
) -> None:
    assert tuple(sizes_of(image(), added).values()) == sizes


@pytest.mark.parametrize(
    ("added", "certain"),
    [
        ((100, 0, 3), (100, 0, 3)),
        ((100, 0, 20, 0, 3), [100, 20, 3]),
        ((0, 100, 0, 0, 3), None),
        ((1, 2, 3, 4, 5), None),
    ],
)
def test_the_history_is_certain_only_where_no_empty_layer_is_among_steps_without_one(
    added: tuple[int, ...], certain: object
) -> None:
    assert certain_sizes(image(), added) == certain


BELOW = FakeImage(layers=({"below": b"1"},))
BUILT = FakeImage(layers=({"below": b"1"}, {"above": b"2"}))
OTHER = FakeImage(layers=({"other": b"3"},))


async def test_only_images_whose_layers_are_the_lowest_are_bases(tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    request = PushRequest(image=BUILT.info, name="app", targets=(), dockerfile=dockerfile)
    images = {"below:latest": BELOW, "tools:latest": OTHER}
    async with FakeEngine(images=images) as engine:
        assert await bases_of(engine, request) == (BUILT.info,), "it is gone since the build"
        dockerfile.write_text("FROM below\nCOPY --from=tools /a /b\nCOPY --from=gone /a /b\n")
        found = await bases_of(engine, request)
    assert [one.id for one in found] == [BUILT.info.id, BELOW.info.id]


def test_where_an_image_is_published_counts_at_that_registry_alone() -> None:
    digest = Digest.of(b"manifest")
    names = (f"quay.io/a/b@{digest}", f"r.example/c@{digest}", "no reference@", "r.example/d:1")
    (found,) = published_at([replace(image(), repo_digests=names)], "r.example")
    assert (found.repository, found.digest) == ("c", digest)
