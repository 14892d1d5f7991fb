"""The tar of a layer in the buffers it is put together in: every byte, and each of them full."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.errors import NotFound
from longshore.image.layer import BLOCK
from longshore.image.overlay2 import open_overlay2
from longshore.image.reassembly import fill, fresh_memory
from longshore.image.tarsplit import Piece
from longshore.image.tree import LayerTree
from longshore.oci.digest import Digest
from longshore.testing.engine_script import FakeImage
from longshore.testing.overlay2_store import write_store

NOISE = Random(1).randbytes(2 * BLOCK + 100)
AROUND = (0, 1, 511, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1)
Part = tuple[bool, int]
"""Whether it is a file's, and how many bytes."""


def _check(parts: list[Part], directory: Path) -> None:
    pieces: list[Piece] = []
    expected = []
    for number, (is_file, size) in enumerate(parts):
        content = NOISE[number : number + size]
        expected.append(content)
        if is_file:
            (directory / str(number)).write_bytes(content)
        if content:
            name = str(number).encode()
            pieces.append((b"", name, size) if is_file else (content, b"", 0))
    with LayerTree(directory) as tree:
        blocks = [bytes(block) for block in fill(pieces, tree, fresh_memory)]
    assert b"".join(blocks) == b"".join(expected)
    assert all(len(block) == BLOCK for block in blocks[:-1])
    assert all(blocks)


@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize("first", AROUND)
@pytest.mark.parametrize("second", AROUND)
def test_pieces_that_end_where_a_buffer_does_are_whole(
    tmp_path: Path, first: int, second: int, is_file: bool
) -> None:
    _check([(False, first), (is_file, second), (False, 3)], tmp_path)
    _check([(is_file, first), (False, second)], tmp_path)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(AROUND) | st.integers(0, BLOCK)), max_size=6)
)
def test_any_pieces_are_the_layer(parts: list[Part]) -> None:
    with TemporaryDirectory() as directory:
        _check(parts, Path(directory))


@pytest.mark.parametrize(
    ("lost", "named"),
    [("overlay2/*/diff", "diff"), ("image/**/tar-split.json.gz", "tar-split.json.gz")],
)
def test_a_store_that_lacks_something_of_a_layer_is_told_before_anything_is_sent(
    tmp_path: Path, lost: str, named: str
) -> None:
    """Then there are other ways to the registry."""
    image = FakeImage(layers=({"file": b"content"},))
    write_store(tmp_path, image.config, image.layer_tars)
    image_id = Digest.parse(image.id)
    assert len(open_overlay2(tmp_path, image_id).layers) == 1
    [path] = tmp_path.glob(lost)
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(NotFound, match=f"the engine's store has no .*{named}: No such file"):
        open_overlay2(tmp_path, image_id)
