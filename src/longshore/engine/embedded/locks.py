"""Advisory locks on files and directories (flock(2)); the kernel drops them when a process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from longshore.engine.patience import until
from longshore.errors import EngineUnavailable

SHARED: Final = fcntl.LOCK_SH
EXCLUSIVE: Final = fcntl.LOCK_EX


@contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """A file to lock, made when it is missing; leaving the block drops the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def lock_directory(path: Path) -> Iterator[int]:
    """A directory to lock; leaving the block drops the lock, and nothing is left of it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def lock(descriptor: int, operation: int, seconds: float) -> None:
    """Wait for the lock; EngineUnavailable when it does not come within `seconds`."""

    async def taken() -> bool:
        return try_lock(descriptor, operation)

    if not await until(taken, seconds=seconds):
        raise stuck()


def stuck() -> EngineUnavailable:
    """Nothing comes of waiting for another run."""
    return EngineUnavailable(
        "another run has been starting or stopping the private engine for too long",
        hint="look for `dockerd` in the list of processes; `longshore cleanup` tries again",
    )


def try_lock(descriptor: int, operation: int) -> bool:
    """Take the lock (or change it) if nobody is in the way."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Drop the lock."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
