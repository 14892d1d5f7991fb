from __future__ import annotations

import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.errors import DecryptionFailed
from longshore.secrets import envelope
from longshore.secrets.envelope import Format
from longshore.secrets.key import AesKey, generate_key

KEY = AesKey(bytes(range(32)))
formats = st.sampled_from(Format)


@given(st.binary(max_size=3000), formats)
def test_every_format_is_recognised(plain: bytes, kind: Format) -> None:
    assert envelope.decrypt(envelope.encrypt(plain, KEY, kind), KEY, "x") == plain


@given(st.text(max_size=300), formats, st.sampled_from([" ", "\n", "\n\n  ", "\r\n"]))
def test_inline_values_survive_what_yaml_does_to_white_space(
    plain: str, kind: Format, white: str
) -> None:
    plain = plain.encode("utf-8", "ignore").decode()
    text = envelope.encrypt(plain.encode(), KEY, kind).decode()
    inline = white + white.join(text.split()) + white
    assert envelope.decrypt_inline(inline, KEY, "encrypted_args") == plain


def test_an_inline_value_that_is_none_is_refused() -> None:
    for text in ("", " ", "plain text", "ключ", "longshore:", "codeship:v2"):
        with pytest.raises(DecryptionFailed, match="cannot decrypt encrypted_args"):
            envelope.decrypt_inline(text, KEY, "encrypted_args")


@settings(max_examples=50)
@given(st.binary(min_size=40, max_size=200))
def test_the_wrong_key_for_jet_s_first_format_is_told_where_text_is_expected(plain: bytes) -> None:
    text = envelope.encrypt(plain, KEY, Format.JET_V1)
    with pytest.raises(DecryptionFailed) as caught:
        envelope.decrypt_text(text, generate_key(), "env.encrypted")
    assert caught.value.message == "cannot decrypt env.encrypted with codeship.aes: wrong key?"


def test_the_bytes_that_are_no_text_are_not_shown_in_the_traceback() -> None:
    text = envelope.encrypt(b"\xff\xfe SECRET-BYTES", KEY, Format.JET_V1)
    with pytest.raises(DecryptionFailed) as caught:
        envelope.decrypt_text(text, KEY, "x")
    shown = "".join(traceback.format_exception(caught.value))
    assert "SECRET-BYTES" not in shown
    assert "UnicodeDecodeError" not in shown


@pytest.mark.parametrize(
    "plain",
    [b"", b"FOO=bar\n", "schlüssel\n".encode(), b"\x1f\x8b\x08\x00rest", b"PK\x03\x04\xff\x00"],
)
def test_text_and_known_binary_files_in_jet_s_first_format_are_files(plain: bytes) -> None:
    text = envelope.encrypt(plain, KEY, Format.JET_V1)
    assert envelope.decrypt_file(text, KEY, "x") == plain


def test_noise_in_jet_s_first_format_is_refused_unless_it_may_be_anything() -> None:
    noise = bytes(range(256))
    text = envelope.encrypt(noise, KEY, Format.JET_V1)
    with pytest.raises(DecryptionFailed, match=r"cannot decrypt x with codeship\.aes: wrong key\?"):
        envelope.decrypt_file(text, KEY, "x")
    assert envelope.decrypt_file(text, KEY, "x", binary=True) == noise
    assert envelope.decrypt_file(envelope.encrypt(noise, KEY), KEY, "x") == noise
