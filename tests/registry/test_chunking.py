"""How large chunks get, and why."""

from __future__ import annotations

import pytest
from yarl import URL

from longshore.registry.chunking import SMALLEST, Chunking, PieceSize
from longshore.registry.limits import Limits
from longshore.registry.progress import ChunkSized, Progress
from longshore.testing.registry_answer import answer

MEBIBYTE = 1 << 20


@pytest.fixture
def told() -> list[Progress]:
    return []


@pytest.fixture
def chunking(told: list[Progress]) -> Chunking:
    limits = Limits(chunk_size=8 * MEBIBYTE)
    return Chunking(host="r.example", limits=limits, listener=told.append)


def _announce(chunking: Chunking, **headers: str) -> None:
    chunking.announced(answer(202, URL("https://r.example/"), b"", **headers))


def test_a_minimum_raises_the_size_and_leaves_streaming_alone(
    chunking: Chunking, told: list[Progress]
) -> None:
    _announce(chunking, OCI_Chunk_Min_Length=str(20 * MEBIBYTE))
    assert (chunking.size, chunking.streaming) == (20 * MEBIBYTE, True)
    _announce(chunking, OCI_Chunk_Min_Length=str(20 * MEBIBYTE))
    assert [str(event) for event in told] == [
        "sending to r.example in chunks of 20 MiB: it wants at least 20971520 bytes in each"
    ]


def test_nobody_makes_us_keep_more_than_64_mebibytes(chunking: Chunking) -> None:
    _announce(chunking, OCI_Chunk_Min_Length=str(10**12))
    assert chunking.size == 64 * MEBIBYTE


def test_a_tiny_minimum_does_not_make_chunks_tiny(chunking: Chunking) -> None:
    _announce(chunking, OCI_Chunk_Min_Length="1")
    assert (chunking.least, chunking.size) == (SMALLEST, 8 * MEBIBYTE)
    assert not chunking.too_large(SMALLEST)


def test_a_413_never_leads_below_the_minimum(chunking: Chunking) -> None:
    _announce(chunking, OCI_Chunk_Min_Length=str(5 * MEBIBYTE))
    assert chunking.too_large(8 * MEBIBYTE)
    assert chunking.size == 5 * MEBIBYTE
    assert not chunking.too_large(5 * MEBIBYTE)


def test_a_maximum_lowers_the_size_and_ends_streaming(chunking: Chunking) -> None:
    _announce(chunking, OCI_Chunk_Max_Length=str(MEBIBYTE))
    assert (chunking.size, chunking.streaming) == (MEBIBYTE, False)


def test_a_maximum_above_our_size_still_ends_streaming(chunking: Chunking) -> None:
    _announce(chunking, OCI_Chunk_Max_Length=str(100 * MEBIBYTE))
    assert (chunking.size, chunking.streaming) == (8 * MEBIBYTE, False)


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1e9"])
def test_nonsense_changes_nothing(chunking: Chunking, told: list[Progress], value: str) -> None:
    _announce(chunking, OCI_Chunk_Min_Length=value, OCI_Chunk_Max_Length=value)
    assert (chunking.size, chunking.streaming, told) == (8 * MEBIBYTE, True, [])


def test_each_413_quarters_what_was_refused_until_nothing_smaller_is_left(
    chunking: Chunking, told: list[Progress]
) -> None:
    sent = 500 * MEBIBYTE
    sizes = []
    while chunking.too_large(sent):
        sent = chunking.size
        sizes.append(sent)
    assert sizes == [2 * MEBIBYTE, MEBIBYTE // 2, MEBIBYTE // 8, SMALLEST]
    assert all(isinstance(event, ChunkSized) for event in told)
    assert not chunking.streaming


def test_the_pieces_of_no_upload_are_larger_than_what_another_learnt_to_be_taken(
    chunking: Chunking,
) -> None:
    pieces = PieceSize(chunking=chunking)
    pieces.broke()
    assert pieces.size == 4 * MEBIBYTE
    assert chunking.too_large(2 * MEBIBYTE)
    assert pieces.size == MEBIBYTE // 2
    pieces.arrived()
    assert pieces.size == MEBIBYTE // 2


def test_breaks_make_pieces_no_smaller_than_the_registry_wants_them(chunking: Chunking) -> None:
    _announce(chunking, OCI_Chunk_Min_Length=str(5 * MEBIBYTE))
    pieces = PieceSize(chunking=chunking)
    for _ in range(3):
        pieces.broke()
    assert pieces.size == 5 * MEBIBYTE


def test_uploads_refused_side_by_side_shrink_the_chunks_once(
    chunking: Chunking, told: list[Progress]
) -> None:
    for sent in (103, 101, 102, 100):
        assert chunking.too_large(sent * MEBIBYTE)
    assert (chunking.size, len(told)) == (2 * MEBIBYTE, 1)
    assert chunking.too_large(2 * MEBIBYTE)
    assert chunking.size == MEBIBYTE // 2


@pytest.mark.parametrize("query", ["?_state=abc", "?_nouploadcache=false&_state=abc"])
def test_distribution_is_told_by_what_it_keeps_in_an_uploads_address(
    chunking: Chunking, query: str
) -> None:
    _announce(chunking, Location=f"/v2/a/b/blobs/uploads/4e1c{query}")
    assert chunking.stretch == chunking.limits.stretch


@pytest.mark.parametrize("part", [8, 10, 16, 20, 25, 32, 50, 64, 100, 128])
def test_the_last_part_of_a_stretch_in_an_object_store_is_none_that_has_to_be_written_anew(
    part: int,
) -> None:
    """Whatever their size in MiB is; a stretch may be longer by a block, which has 2 MiB."""
    rest = Limits().stretch % (part * MEBIBYTE)
    assert 5 * MEBIBYTE <= rest <= (part - 2) * MEBIBYTE


@pytest.mark.parametrize("location", ["/v2/a/b/blobs/uploads/4e1c", "/upload?digest_state=abc"])
def test_no_other_registry_gets_a_blob_in_stretches(chunking: Chunking, location: str) -> None:
    _announce(chunking, Location=location)
    assert chunking.stretch is None


def test_what_lost_a_blob_in_stretches_gets_no_more_of_them(chunking: Chunking) -> None:
    _announce(chunking, Location="/v2/a/b/blobs/uploads/4e1c?_state=abc")
    chunking.no_stretches()
    _announce(chunking, Location="/v2/a/b/blobs/uploads/4e1d?_state=abd")
    assert chunking.stretch is None


@pytest.fixture
def distribution(chunking: Chunking) -> Chunking:
    _announce(chunking, Location="/v2/a/b/blobs/uploads/4e1c?_state=abc")
    return chunking


def test_a_stretch_ends_after_its_length(distribution: Chunking) -> None:
    length = distribution.limits.stretch
    assert not distribution.pauses(length - 1, 0.0)
    assert distribution.pauses(length, 0.0)


def test_a_stretch_goes_on_while_another_one_is_completed(distribution: Chunking) -> None:
    """And then to a length that is as good for the parts of an object store."""
    length = distribution.limits.stretch
    with distribution.completing():
        assert not distribution.pauses(length, 0.0)
    assert not distribution.pauses(length + 2 * MEBIBYTE, 0.0)
    assert distribution.pauses(length + 16 * MEBIBYTE, 0.0)


def test_a_line_that_is_slower_than_we_are_gets_no_stretches(distribution: Chunking) -> None:
    length = distribution.limits.stretch
    assert distribution.pauses(length, 1.9)
    assert not distribution.pauses(length, 2.0)
