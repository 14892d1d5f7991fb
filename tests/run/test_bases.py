"""What is estimated of layers before they are read."""

from __future__ import annotations

import pytest

from longshore.engine.spec import ImageInfo
from longshore.oci.digest import Digest
from longshore.run.bases import sizes_of

LAYERS = tuple(Digest.of(name) for name in (b"base", b"middle", b"top"))


def image(size: int = 900) -> ImageInfo:
    return ImageInfo(
        id=str(Digest.of(b"image")),
        environment=(),
        exposed_ports=(),
        entrypoint=(),
        command=(),
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
