"""Folders for what is large, as an engine's data; later runs remove those of killed ones."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

_DISK: Final = Path("/var/tmp")  # noqa: S108  # a name in it is chosen by mkdtemp
"""Not /tmp, which may be a tmpfs, on which overlay2 does not work."""

_PREFIX: Final = "longshore-disk-"


@contextmanager
def disk_folder(below: Path = _DISK) -> Iterator[Path]:
    """An empty folder, removed with the block.

    While the block runs the folder is locked (flock(2)); one that nobody locks was left by a run
    that was killed.
    """
    with ExitStack() as held:
        # The outer lock, for a new folder is not locked yet.
        with _locked(below):
            _sweep(below)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=below))
            held.enter_context(_locked(folder))
        held.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


def _sweep(below: Path) -> None:
    for left in below.glob(f"{_PREFIX}*"):
        # Suppressed: its run lives, or it is another user's.
        with suppress(OSError), _locked(left, fcntl.LOCK_NB):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(folder: Path, flags: int = 0) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
        yield
    finally:
        os.close(descriptor)
