"""Pipelines on the scriptable engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from longshore.testing.engine_script import FakeImage
from longshore.testing.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """An empty project directory and an engine with one image, ``busybox``."""
    return Scene(tmp_path, {"busybox:latest": FakeImage()})
