"""Paths of the files as a plan has them."""

from __future__ import annotations

import os
from pathlib import Path


def real_path(path: Path) -> Path:
    """Absolute and without links; what leads into a loop of links stays as it is.

    `Path.resolve` raises RuntimeError for such a loop before Python 3.13.
    """
    return Path(os.path.realpath(path))
