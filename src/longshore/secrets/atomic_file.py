"""Files that are there completely or not at all (spec E-7). Reads and writes files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from longshore.errors import InvalidValue

STANDARD: Final = "-"
"""The name that means standard input or output."""

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644


class StandardStreams(Struct, frozen=True, kw_only=True):
    """Where ``-`` reads from and writes to."""

    stdin: BinaryIO
    stdout: BinaryIO

    def read(self, name: str) -> bytes:
        """All of the file `name`, or of standard input; InvalidValue when it cannot be read."""
        return self.stdin.read() if name == STANDARD else read_file(Path(name))

    def write(self, name: str, content: bytes, *, mode: int) -> None:
        """Make `content` the file `name` with `mode`, or write it to standard output."""
        if name == STANDARD:
            self.stdout.write(content)
            self.stdout.flush()
        else:
            replace_file(Path(name), content, mode=mode)


def read_file(path: Path) -> bytes:
    """All of a file; InvalidValue when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidValue(f"cannot read {path}: {error.strerror}") from error


def replace_file(path: Path, content: bytes, *, mode: int) -> None:
    """Make `content` the file `path`, in one step, overwriting what was there.

    What is no regular file (``/dev/stdout``, a pipe) is written to. Raises InvalidValue.
    """
    with explained(path):
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        with staged(path, content, mode=mode) as stage:
            stage.replace(_real(path))


def create_file(path: Path, content: bytes, *, mode: int) -> None:
    """As `replace_file`, but raises InvalidValue when `path` exists, whoever made it just now."""
    with explained(path), staged(path, content, mode=mode) as stage:
        os.link(stage, path)


@contextmanager
def staged(path: Path, content: bytes, *, mode: int) -> Iterator[Path]:
    """A file with `content` beside `path`, safe on the disk, gone afterwards unless renamed."""
    import tempfile  # with what it loads it is slow to start, and few commands write files

    target = _real(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


@contextmanager
def explained(path: Path, hint: str | None = None) -> Iterator[None]:
    """Turns what the operating system says when `path` cannot be written into InvalidValue."""
    try:
        yield
    except OSError as error:
        raise InvalidValue(f"cannot write {path}: {error.strerror}", hint=hint) from error


def _real(path: Path) -> Path:
    """Not `Path.resolve`: that raises RuntimeError for a loop of links before Python 3.13."""
    return Path(os.path.realpath(path))
