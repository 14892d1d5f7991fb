from __future__ import annotations

from pathlib import Path

import pytest

from longshore.environment import Environment
from longshore.errors import KeyUnavailable
from longshore.secrets.key import AesKey
from longshore.secrets.key_lookup import NO_DECRYPTOR, KeySource


def text_of(number: int) -> str:
    return AesKey(bytes([number]) * 32).reveal_text()


def found(key: AesKey | None) -> int:
    assert key is not None
    return key.reveal()[0]


def source(tmp_path: Path, key_path: Path | None = None, /, **variables: str) -> KeySource:
    return KeySource(environment=Environment(variables), directory=tmp_path, key_path=key_path)


def test_the_key_path_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / "codeship.aes").write_text(text_of(1))
    (tmp_path / "named.aes").write_text(text_of(2))
    both = {"LONGSHORE_AES_KEY": text_of(3), "CODESHIP_AES_KEY": text_of(4)}
    assert found(source(tmp_path, tmp_path / "named.aes", **both).find()) == 2
    assert found(source(tmp_path, **both).find()) == 3
    assert found(source(tmp_path, CODESHIP_AES_KEY=text_of(4)).find()) == 4
    assert found(source(tmp_path).find()) == 1


def test_without_any_key_the_documented_words_are_said(tmp_path: Path) -> None:
    assert source(tmp_path).find() is None
    with pytest.raises(KeyUnavailable, match=r"^No AES key provided$"):
        source(tmp_path).require()
    with pytest.raises(KeyUnavailable, match=r"^docker: no decryptor available$"):
        source(tmp_path).require(NO_DECRYPTOR)


def test_a_key_path_that_is_missing_or_unreadable_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match=r"No AES key provided: .*gone\.aes does not exist"):
        source(tmp_path, tmp_path / "gone.aes").find()
    with pytest.raises(KeyUnavailable, match=r"cannot read the AES key .*: Is a directory"):
        source(tmp_path, tmp_path).find()


def test_errors_name_the_place_the_key_came_from(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="invalid AES key in CODESHIP_AES_KEY"):
        source(tmp_path, CODESHIP_AES_KEY="AAAA").find()
    (tmp_path / "codeship.aes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeyUnavailable, match=r"invalid AES key in codeship\.aes: it is not base64"):
        source(tmp_path).find()
