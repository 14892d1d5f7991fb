"""What packing does to a segment in several threads: all that is due, before it is given back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from longshore.image.compression import CompressionOptions
from longshore.image.layer import Block
from longshore.image.packing import Packing
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression

TIME = 10.0


class Slow(bytearray):
    """Data that who looks at it first has to wait for."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.looked_at = threading.Event()
        self.go_on = threading.Event()

    def __len__(self) -> int:
        if not self.looked_at.is_set():
            self.looked_at.set()
            assert self.go_on.wait(TIME)
        return super().__len__()


@pytest.mark.parametrize("compression", [Compression.NONE, Compression.ZSTD])
def test_a_segment_is_given_back_when_it_is_both_hashed_and_packed(
    compression: Compression,
) -> None:
    """One thread hashes it still while another has packed it already: it may be filled anew."""
    given: list[Block] = []
    packing = Packing(CompressionOptions(compression=compression), given.append)
    slow, quick = Slow(b"one"), bytearray(b"two")
    first, second = packing.admit(slow), packing.admit(quick)
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(packing.visit, second)
        try:
            assert slow.looked_at.wait(TIME)
            packing.visit(first)
            assert given == []
        finally:
            slow.go_on.set()
        other.result()
    assert given == [b"one", b"two"]
    assert packing.diff_id == Digest.of(b"onetwo")


def test_a_segment_that_is_hashed_is_not_given_back_before_it_is_packed() -> None:
    given: list[Block] = []
    packing = Packing(CompressionOptions(compression=Compression.NONE), given.append)
    first, second = packing.admit(b"one"), packing.admit(b"two")
    packing.visit(second)
    assert given == []
    packing.visit(first)
    assert given == [b"one", b"two"]
    assert b"".join(packing.taken()) == b"onetwo"
