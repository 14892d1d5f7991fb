"""Registries in use that do not keep to the specification: what they are tried with."""

from __future__ import annotations

from random import Random

import pytest

from longshore.testing.stored import MemoryImage, MemoryLayer

MEBIBYTE = 1 << 20


@pytest.fixture
def image() -> MemoryImage:
    """With a layer that is streamed, and one that is not."""
    return MemoryImage([MemoryLayer(Random(1).randbytes(MEBIBYTE)), MemoryLayer(b"x")])
