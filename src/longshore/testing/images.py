"""Images for tests and measurements: made of nothing, the same for the same seed.

Content is a ninth random bytes and the rest words, so that it packs to about two fifths as
the files of real images do.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final, Protocol

from msgspec import Struct

from longshore.image.layer import LayerSource
from longshore.oci.digest import Digest

_RECORD: Final = 512
_TAR_RECORD: Final = 20 * _RECORD
_POOL: Final = 1 << 20
_WORDS: Final = 2000


class Layer(Protocol):
    """A layer that knows how long its tar will be."""

    @property
    def size(self) -> int:
        """Bytes of the tar."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """The tar; the same bytes every time."""
        ...


class TarLayer(Struct, frozen=True):
    """A layer whose tar is in hand."""

    tar: bytes

    @property
    def size(self) -> int:
        return len(self.tar)

    def chunks(self) -> Iterator[bytes]:
        yield self.tar


class RandomLayer(Struct, frozen=True, kw_only=True):
    """`files` regular files that together have `content` bytes, a thousand in a directory."""

    content: int
    files: int = 1
    seed: int = 0

    @property
    def size(self) -> int:
        unpadded = sum(_RECORD + _padded(length) for length in self._lengths())
        directories = _RECORD * -(-self.files // 1000)
        return -(-(unpadded + directories + 2 * _RECORD) // _TAR_RECORD) * _TAR_RECORD

    def chunks(self) -> Iterator[bytes]:
        words = _Words(self.seed)
        written = 0
        for number, length in enumerate(self._lengths()):
            if number % 1000 == 0:
                yield _directory(self.seed, number // 1000)
                written += _RECORD
            yield _header(f"{_place(self.seed, number // 1000)}/file{number:06}", length)
            yield from words.content(length)
            yield bytes(_padded(length) - length)
            written += _RECORD + _padded(length)
        yield bytes(self.size - written)

    def _lengths(self) -> Iterator[int]:
        each, extra = divmod(self.content, self.files)
        return (each + (number < extra) for number in range(self.files))


class _Words:
    """Endless content of one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 (content of test files, no secret)
        self._pool = self._fill()

    def content(self, length: int) -> Iterator[bytes]:
        """`length` bytes: a place of the pool, marked so that no two files are the same."""
        if length >= 16:
            yield self._random.randbytes(8)
            length -= 8
        while length:
            start = self._random.randrange(_POOL)
            piece = self._pool[start : start + length]
            yield piece
            length -= len(piece)

    def _fill(self) -> bytes:
        draw = self._random
        words = [draw.randbytes(draw.randint(6, 40)) for _ in range(_WORDS)]
        weights = [1 / rank for rank in range(1, _WORDS + 1)]
        pool = bytearray()
        while len(pool) < _POOL:
            pool += b"".join(draw.choices(words, weights, k=40)) + draw.randbytes(80)
        return bytes(pool[:_POOL])


def write_archive(path: Path, tag: str, layers: Sequence[Layer]) -> tuple[Digest, ...]:
    """Write an image as a docker archive (for ``docker load``); returns its diff IDs.

    Layers are written as they are made: memory does not grow with their size.
    """
    with path.open("wb") as file:
        members = [f"layer{number:03}.tar" for number in range(len(layers))]
        diff_ids = [_write_layer(file, *pair) for pair in zip(members, layers, strict=True)]
        config = image_config(diff_ids)
        name = f"{Digest.of(config).hex}.json"
        saved = [{"Config": name, "RepoTags": [tag], "Layers": members}]
        _write_document(file, name, config)
        _write_document(file, "manifest.json", json.dumps(saved).encode())
        file.write(bytes(2 * _RECORD))
    return tuple(diff_ids)


def image_config(diff_ids: Sequence[Digest]) -> bytes:
    """A configuration of an image with these layers."""
    created = "2026-01-31T00:00:00Z"
    document = {
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [str(diff_id) for diff_id in diff_ids]},
        "history": [{"created": created, "created_by": "longshore"} for _ in diff_ids],
    }
    return json.dumps(document).encode()


def _write_layer(file: IO[bytes], name: str, layer: Layer) -> Digest:
    file.write(_header(name, layer.size))
    digest = hashlib.sha256()
    for chunk in layer.chunks():
        digest.update(chunk)
        file.write(chunk)
    file.write(bytes(_padded(layer.size) - layer.size))
    return Digest(digest.hexdigest())


def _write_document(file: IO[bytes], name: str, content: bytes) -> None:
    file.write(_header(name, len(content)))
    file.write(content.ljust(_padded(len(content)), b"\0"))


def _header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mode = size, kind, 0o755 if kind == tarfile.DIRTYPE else 0o644
    return info.tobuf(tarfile.GNU_FORMAT)


def _directory(seed: int, number: int) -> bytes:
    return _header(_place(seed, number) + "/", 0, tarfile.DIRTYPE)


def _place(seed: int, number: int) -> str:
    return f"data{seed}-{number:04}"


def _padded(size: int) -> int:
    return -(-size // _RECORD) * _RECORD


def tar_of(members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> TarLayer:
    """A layer of these members in pax format; each size is set to that of the content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return TarLayer(buffer.getvalue())


async def layer_content(source: LayerSource) -> bytes:
    """All that it gives."""
    async with source.open() as blocks:
        return b"".join([bytes(block) async for block in blocks])
