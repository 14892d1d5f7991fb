"""Fixtures that every test may use."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """aiohttp runs on asyncio only, so that is the one backend (ARCHITECTURE.md)."""
    return "asyncio"
