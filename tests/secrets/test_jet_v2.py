"""No public sample of this format has a key: these prove the documented candidates, no more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.errors import DecryptionFailed
from longshore.secrets import jet_v1, jet_v2
from longshore.secrets.key import AesKey

KEY = AesKey(bytes(range(32)))
IV = bytes(range(100, 116))

CHECKSUMS: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda plain: hashlib.sha256(plain).digest(),
    "sha1": lambda plain: hashlib.sha1(plain).digest(),
    "md5": lambda plain: hashlib.md5(plain).digest(),
    "sha512": lambda plain: hashlib.sha512(plain).digest(),
    "crc32": lambda plain: zlib.crc32(plain).to_bytes(4, "big"),
    "crc32 little endian": lambda plain: zlib.crc32(plain).to_bytes(4, "little"),
    "hmac-sha256": lambda plain: hmac.digest(KEY.reveal(), plain, "sha256"),
    "hmac-sha512": lambda plain: hmac.digest(KEY.reveal(), plain, "sha512"),
}


def cfb(plain: bytes) -> bytes:
    # Encrypting is decrypting a segment at a time: the keystream depends on the ciphertext.
    done = b""
    for start in range(0, len(plain), 16):
        segment = plain[start : start + 16]
        previous = (IV + done)[-16:]
        done += jet_v1.decrypt_cfb(previous, segment, KEY)
    return done


LAYOUTS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "IV CFB(C P)": lambda c, p: IV + cfb(c + p),
    "IV CFB(P C)": lambda c, p: IV + cfb(p + c),
    "IV CFB(P) C": lambda c, p: IV + cfb(p) + c,
    "IV C CFB(P)": lambda c, p: IV + c + cfb(p),
    "C IV CFB(P)": lambda c, p: c + IV + cfb(p),
}


def sealed(layout: str, checksum: str, plain: bytes) -> bytes:
    body = LAYOUTS[layout](CHECKSUMS[checksum](plain), plain)
    return b"codeship:v2\n" + base64.b64encode(body)


@pytest.mark.parametrize("checksum", CHECKSUMS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1000])
def test_every_candidate_layout_is_read(layout: str, checksum: str, size: int) -> None:
    plain = (b"FOO=bar\n" * 200)[:size]
    assert jet_v2.decrypt(sealed(layout, checksum, plain), KEY, "env") == plain


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(LAYOUTS)), st.binary(min_size=1, max_size=80), st.data())
def test_a_changed_bit_is_an_error_in_the_documented_words(
    layout: str, plain: bytes, data: st.DataObject
) -> None:
    raw = bytearray(base64.b64decode(sealed(layout, "sha256", plain).split(b"\n")[1]))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecryptionFailed) as caught:
        jet_v2.decrypt(b"codeship:v2\n" + base64.b64encode(raw), KEY, "env.encrypted")
    assert caught.value.message == (
        "cannot decrypt env.encrypted with codeship.aes: "
        "checksum for decrypted data is invalid, corrupt AES key or data"
    )
    assert "original jet" in (caught.value.hint or "")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wrong_key_is_an_error(layout: str, other_key: AesKey) -> None:
    with pytest.raises(DecryptionFailed, match="checksum for decrypted data is invalid"):
        jet_v2.decrypt(sealed(layout, "sha256", b"FOO=bar\n"), other_key, "env")


@pytest.mark.parametrize("rest", [b"", b"\n", b"\nAAAA", b"\nno base64!"])
def test_what_is_too_short_or_no_base64_is_refused(rest: bytes) -> None:
    with pytest.raises(DecryptionFailed, match="cannot decrypt env"):
        jet_v2.decrypt(b"codeship:v2" + rest, KEY, "env")
