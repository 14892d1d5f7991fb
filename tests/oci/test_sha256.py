"""SHA-256 of bytes that come in pieces."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from longshore.oci.sha256 import Sha256

# Around the length from which the registers are cleared first.
_LENGTHS = st.lists(st.sampled_from([0, 1, 64, 65535, 65536, 65537, 200_000]), max_size=6)


@given(_LENGTHS, st.sampled_from([bytes, bytearray, memoryview]))
def test_pieces_of_any_length_and_kind_give_what_all_of_it_gives(
    lengths: list[int], kind: type[bytes]
) -> None:
    content = bytes(range(251)) * 5000
    hashed, at = Sha256(), 0
    for length in lengths:
        hashed.update(kind(content[at : at + length]))
        at += length

    assert hashed.hexdigest() == hashlib.sha256(content[:at]).hexdigest()
