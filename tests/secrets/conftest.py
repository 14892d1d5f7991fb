"""A key for every test that needs one."""

from __future__ import annotations

import pytest

from longshore.secrets.key import AesKey


@pytest.fixture(scope="session")
def key() -> AesKey:
    return AesKey(bytes(range(32)))


@pytest.fixture(scope="session")
def other_key() -> AesKey:
    return AesKey(bytes(range(1, 33)), origin="other.aes")
