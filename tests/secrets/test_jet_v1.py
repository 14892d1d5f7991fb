from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.errors import DecryptionFailed
from longshore.secrets import jet_v1
from longshore.secrets.key import AesKey

VECTOR = Path(__file__).parents[2].parent / "shared" / "vectors" / "aes-v1.json"
KEY = AesKey(bytes(range(32)))


def test_the_published_example_decrypts() -> None:
    vector = json.loads(VECTOR.read_text())
    key = AesKey.from_text(vector["key_base64"])
    plain = jet_v1.decrypt(vector["ciphertext_base64"].encode(), key, "environment.encrypted")
    assert plain.decode() == vector["plaintext"]


def test_white_space_anywhere_is_ignored() -> None:
    vector = json.loads(VECTOR.read_text())
    spread = " \r\n\t".join(vector["ciphertext_base64"]) + "\n"
    key = AesKey.from_text(vector["key_base64"])
    assert jet_v1.decrypt(spread.encode(), key, "x").decode() == vector["plaintext"]


@given(st.binary(max_size=5000))
def test_what_was_encrypted_decrypts(plain: bytes) -> None:
    text = jet_v1.encrypt(plain, KEY)
    assert b"\n" not in text
    assert jet_v1.decrypt(text, KEY, "x") == plain


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**20), st.binary(min_size=1, max_size=50))
def test_large_files_decrypt(size: int, pattern: bytes) -> None:
    plain = (pattern * (size // len(pattern) + 1))[:size]
    assert jet_v1.decrypt(jet_v1.encrypt(plain, KEY), KEY, "x") == plain


@pytest.mark.parametrize("text", [b"", b"AAAA", b"A" * 21, b"no base64!", b"\xff" * 40])
def test_what_cannot_be_an_encrypted_file_is_refused(text: bytes) -> None:
    with pytest.raises(DecryptionFailed, match="cannot decrypt env"):
        jet_v1.decrypt(text, KEY, "env")
