"""Digests and the checking of content while it flows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import ContentMismatch, InvalidValue
from longshore.oci.digest import Digest, Verifier

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_digest_of_nothing_is_the_published_one() -> None:
    digest = Digest.of(b"")
    assert str(digest) == EMPTY
    assert (digest.algorithm, digest.hex) == ("sha256", EMPTY.removeprefix("sha256:"))


@given(st.binary())
def test_a_digest_survives_a_round_trip(content: bytes) -> None:
    digest = Digest.of(content)
    assert Digest.parse(str(digest)) == digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        EMPTY[:-1],
        EMPTY + "0",
        EMPTY.upper(),
        EMPTY + "\n",
        "sha512:" + "0" * 128,
        "md5:" + "0" * 32,
        EMPTY.removeprefix("sha256:"),
        "sha256:../../../../etc/passwd",
    ],
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="not a digest"):
        Digest.parse(text)


def test_an_invalid_digest_cannot_be_made_past_the_parser() -> None:
    with pytest.raises(InvalidValue):
        Digest("abc")


@given(st.lists(st.binary()))
def test_bytes_that_are_what_was_announced_pass_however_they_are_cut(parts: list[bytes]) -> None:
    content = b"".join(parts)
    verifier = Verifier(Digest.of(content), len(content))
    for part in parts:
        verifier.update(part)
    verifier.finish()
    assert verifier.count == len(content)


@given(st.binary(min_size=1), st.data())
def test_one_changed_bit_is_found(content: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(content) * 8 - 1))
    changed = bytearray(content)
    changed[place // 8] ^= 1 << place % 8
    verifier = Verifier(Digest.of(content), len(content))
    verifier.update(changed)
    with pytest.raises(ContentMismatch, match="announced"):
        verifier.finish()


def test_too_many_bytes_are_noticed_before_the_end() -> None:
    verifier = Verifier(Digest.of(b"abc"), 3)
    with pytest.raises(ContentMismatch, match="more than the 3 bytes"):
        verifier.update(b"abcd")


def test_missing_bytes_are_told_as_such() -> None:
    verifier = Verifier(Digest.of(b"abc"), 3)
    verifier.update(b"ab")
    with pytest.raises(ContentMismatch, match="2 bytes instead of 3"):
        verifier.finish()


def test_without_a_size_only_the_digest_decides() -> None:
    verifier = Verifier(Digest.of(b"abc"))
    verifier.update(b"abd")
    with pytest.raises(ContentMismatch, match="content with the digest"):
        verifier.finish()
