from __future__ import annotations

import random

import pytest

from longshore.secrets.binary import is_plausible


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"A=1\r\n\tB\n",
        "ключ=значение".encode(),
        b"\x30\x81\x03\x02\x01\x05",
        b"\x30\x82\x01\x00" + b"\xff" * 256,
        b"\0" * 257 + b"ustar\0" + b"\xff" * 100,
        b"\xfe\xed\xfe\xed\0\0\0\x02",
    ],
)
def test_text_and_known_kinds_of_files_are_plausible(plain: bytes) -> None:
    assert is_plausible(plain)


@pytest.mark.parametrize("plain", [b"\0", b"\xff\xfe\xfd", b"a\x01b", b"\x30\x82\x01\x01abc"])
def test_other_bytes_are_not(plain: bytes) -> None:
    assert not is_plausible(plain)


def test_noise_is_hardly_ever_plausible() -> None:
    source = random.Random(5)
    assert not any(is_plausible(source.randbytes(40)) for _ in range(20_000))
