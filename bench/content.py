"""Layers of real files, those of /usr here: compressors differ on what is made up.

(Content made of words packs to the same size as real files, and in half the time.)
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from msgspec import Struct

_RECORD = 512
_LARGEST = 32_000_000


@cache
def _files() -> tuple[tuple[str, int], ...]:
    """Every readable regular file below /usr with its size."""
    found = []
    for folder, _, names in os.walk("/usr"):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink() and path.is_file() and os.access(path, os.R_OK):
                found.append((str(path), path.stat().st_size))
    return tuple(sorted(pair for pair in found if 0 < pair[1] < _LARGEST))


class RealLayer(Struct, frozen=True, kw_only=True):
    """About `content` bytes in files that `seed` chooses; the same while /usr does not change."""

    content: int
    seed: int

    @property
    def size(self) -> int:
        """Bytes of the tar."""
        return sum(_RECORD + _padded(size) for _, size in self._chosen()) + 2 * _RECORD

    def chunks(self) -> Iterator[bytes]:
        """The tar."""
        for number, (path, size) in enumerate(self._chosen()):
            info = tarfile.TarInfo(f"data{self.seed}/{number // 500:04}/file{number:06}")
            info.size = size
            yield info.tobuf(tarfile.GNU_FORMAT)
            yield Path(path).read_bytes()[:size].ljust(_padded(size), b"\0")
        yield bytes(2 * _RECORD)

    def _chosen(self) -> Iterator[tuple[str, int]]:
        files = _files()
        random, left = Random(self.seed), self.content
        while left > 0:
            path, size = random.choice(files)
            if size <= left + 4096:
                yield path, size
                left -= size


def _padded(size: int) -> int:
    return -(-size // _RECORD) * _RECORD
