from __future__ import annotations

import base64
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import KeyUnavailable
from longshore.secrets.key import AesKey, generate_key

RAW = bytes(range(32))
TEXT = base64.b64encode(RAW).decode()


@pytest.mark.parametrize(
    "text",
    [TEXT, f"{TEXT}\n", f"  {TEXT}\r\n\n", f"{TEXT[:20]} {TEXT[20:]}", f"\ufeff{TEXT}"],
    ids=["bare", "newline", "blanks", "blank inside", "byte order mark"],
)
def test_white_space_in_a_key_is_ignored(text: str) -> None:
    assert AesKey.from_text(text).reveal() == RAW


@pytest.mark.parametrize("size", [0, 1, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused_in_the_documented_words(size: int) -> None:
    with pytest.raises(KeyUnavailable) as caught:
        AesKey.from_text(base64.b64encode(bytes(size)).decode())
    assert caught.value.message == (
        f"jet: invalid AES key in codeship.aes: expected 32 bytes, got {size}"
    )


@given(st.text(st.characters(exclude_characters="=")))
def test_text_that_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(KeyUnavailable) as caught:
        AesKey.from_text(text)
    assert caught.value.message.startswith("jet: invalid AES key in codeship.aes: ")
    assert len(caught.value.message) < 90
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_generated_key_reads_back_and_is_new_each_time() -> None:
    first, second = generate_key(), generate_key()
    assert first != second
    assert AesKey.from_text(first.reveal_text()) == first
    assert hash(AesKey.from_text(first.reveal_text())) == hash(first)
    assert len(first.reveal_text()) == 44


def test_a_key_masks_itself() -> None:
    key = AesKey.from_text(TEXT)
    shown = [repr(key), str(key), f"{key}", f"{key:>20}", "%s %r" % (key, key)]  # noqa: UP031 -- that way too
    assert not any(TEXT[:6] in text or str(RAW)[2:12] in text for text in shown)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(key)
    assert key != TEXT
