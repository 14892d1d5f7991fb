"""The place of a metadata file before anything is pushed."""

from __future__ import annotations

import stat
from pathlib import Path

from longshore.secrets.atomic_file import PUBLIC, explained, staged


def make_room(path: Path) -> None:
    """Remove what an earlier run has told, and find out whether this one can tell anything there.

    Raises InvalidValue where not. A device or a pipe is left alone: only writing to it tells
    whether that can be done.
    """
    with explained(path):
        there = _mode(path)
        if there is not None and not stat.S_ISREG(there):
            return
        with staged(path, b"", mode=PUBLIC):
            pass
        if there is not None:
            path.resolve().unlink()


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
