from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.errors import DecryptionFailed, InvalidValue
from longshore.secrets import envelope, sealed
from longshore.secrets.key import AesKey

KEY = AesKey(bytes(range(32)))
DOCUMENT = Path(__file__).parents[2] / "docs" / "encryption-format.md"
SMALL = b"TOKEN=hunter2 \xf0\x9f\x94\x91\n"


@given(st.binary(max_size=5000))
def test_what_was_encrypted_decrypts(plain: bytes) -> None:
    assert sealed.decrypt(sealed.encrypt(plain, KEY), KEY, "x") == plain


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**20), st.binary(min_size=1, max_size=50))
def test_large_files_decrypt(size: int, pattern: bytes) -> None:
    plain = (pattern * (size // len(pattern) + 1))[:size]
    assert sealed.decrypt(sealed.encrypt(plain, KEY), KEY, "x") == plain


@pytest.mark.parametrize("size", [0, 1, 2, 3, 25])
def test_every_changed_bit_is_found(size: int) -> None:
    text = sealed.encrypt(SMALL[:size], KEY)
    for bit in range(len(text) * 8):
        changed = bytearray(text)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecryptionFailed):
            envelope.decrypt(bytes(changed), KEY, "x")


def test_every_changed_byte_is_found() -> None:
    text = sealed.encrypt(b"A=1", KEY)
    for place in range(len(text)):
        for value in set(range(256)) - {text[place]}:
            with pytest.raises(DecryptionFailed):
                envelope.decrypt(text[:place] + bytes([value]) + text[place + 1 :], KEY, "x")


def test_every_inserted_or_doubled_white_space_is_found() -> None:
    text = sealed.encrypt(b"A=1", KEY)
    for place in range(len(text) + 1):
        for white in (b" ", b"\n", b"\r", b"\t", b"="):
            with pytest.raises(DecryptionFailed):
                envelope.decrypt(text[:place] + white + text[place:], KEY, "x")


@given(st.binary(max_size=100))
def test_every_truncation_at_either_end_is_found(plain: bytes) -> None:
    text = sealed.encrypt(plain, KEY)
    for size in range(len(text)):
        with pytest.raises(DecryptionFailed):
            envelope.decrypt(text[:size], KEY, "x")
        with pytest.raises(DecryptionFailed):
            envelope.decrypt(text[len(text) - size :], KEY, "x")


@given(st.binary(min_size=1, max_size=200))
def test_a_missing_or_swapped_piece_inside_is_found(plain: bytes) -> None:
    text = sealed.encrypt(plain, KEY)
    start, end = len(sealed.HEADER), len(text) - len(sealed.END)
    for place in range(start, end - 8, 4):
        swapped = text[:place] + text[place + 4 : place + 8] + text[place : place + 4]
        with pytest.raises(DecryptionFailed):
            envelope.decrypt(text[:place] + text[place + 4 :], KEY, "x")
        if text[place : place + 4] != text[place + 4 : place + 8]:
            with pytest.raises(DecryptionFailed):
                envelope.decrypt(swapped + text[place + 8 :], KEY, "x")


def test_a_wrong_key_is_told_with_the_key_s_place(other_key: AesKey) -> None:
    with pytest.raises(DecryptionFailed) as caught:
        sealed.decrypt(sealed.encrypt(SMALL, KEY), other_key, "env.encrypted")
    assert caught.value.message == (
        "cannot decrypt env.encrypted with other.aes: wrong key, or the file was changed"
    )


def test_a_newer_version_and_changed_line_ends_are_told_apart() -> None:
    text = sealed.encrypt(SMALL, KEY)
    with pytest.raises(DecryptionFailed, match="names a format that this version cannot read"):
        sealed.decrypt(text.replace(b":v1:", b":v9:"), KEY, "x")
    with pytest.raises(DecryptionFailed, match="line ends were changed to CR LF"):
        sealed.decrypt(text.replace(b"\n", b"\r\n"), KEY, "x")


def test_the_same_text_never_looks_the_same_twice() -> None:
    texts = {sealed.encrypt(SMALL, KEY) for _ in range(200)}
    assert len({base64.b64decode(text.split(b"\n")[1][:-1])[:12] for text in texts}) == 200


def test_more_than_the_cipher_can_take_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "MAX_PLAIN_BYTES", 10)
    with pytest.raises(InvalidValue, match="too large"):
        sealed.encrypt(bytes(11), KEY)


def documented_reader() -> str:
    script = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(script) == 1
    assert "longshore." not in script[0], "it uses none of our code"
    assert len(script[0].splitlines()) <= 21
    return str(script[0])


@pytest.mark.parametrize("size", [0, 1, 1000, 2**20])
def test_the_script_in_the_documentation_reads_what_encrypt_wrote(
    size: int, tmp_path: Path
) -> None:
    plain = (SMALL * (size // len(SMALL) + 1))[:size]
    (tmp_path / "reader.py").write_text(documented_reader())
    (tmp_path / "codeship.aes").write_text(KEY.reveal_text() + "\n")
    (tmp_path / "file.encrypted").write_bytes(envelope.encrypt(plain, KEY))
    command = [sys.executable, "-I", "reader.py", "codeship.aes", "file.encrypted"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == plain


def test_the_document_shows_the_header_that_is_written() -> None:
    text = DOCUMENT.read_text()
    assert sealed.HEADER.decode().strip() in text
    assert f"the {len(sealed.HEADER)} bytes `{sealed.HEADER.decode().strip()}`" in text
    assert "no public sample" in text
