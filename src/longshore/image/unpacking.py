"""Packed layers unpacked while they flow, to see what is in them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from longshore.errors import ContentMismatch
from longshore.image.compression import zstd_library
from longshore.image.layer import BLOCK, Block
from longshore.oci.media_types import Compression

_GZIP: Final = 31
"""``wbits`` of a gzip member (zlib manual, inflateInit2)."""


class Unpacker:
    """One packed stream: `feed` it from its start, then `finish`; `what` is its name in errors.

    A gzip may have several members (RFC 1952, 2.2), zstd several frames (RFC 8878, 3). Both
    methods raise ContentMismatch where it is not packed so; making one raises UsageError for zstd
    without a library.
    """

    def __init__(self, compression: Compression, what: str) -> None:
        self._begin, self._step, self._failures = _way(compression)
        self._what = f"{what} is no {compression.value}"
        self._stream: Any = None

    def feed(self, block: Block) -> Iterator[Block]:
        """What becomes of the next bytes, in pieces of at most BLOCK bytes."""
        if self._begin is None:
            yield block
            return
        data = bytes(block)
        try:
            while data:
                self._stream = self._stream or self._begin()
                yield from self._step(self._stream, data)
                data = self._stream.unused_data
                if self._stream.eof:
                    self._stream = None
        except self._failures as exc:
            raise ContentMismatch(f"{self._what}: {exc}") from exc

    def finish(self) -> None:
        """Nothing comes any more."""
        if self._stream is not None:
            raise ContentMismatch(f"{self._what}: it ends too early")


_Way = tuple[
    Callable[[], Any] | None,
    Callable[[Any, bytes], Iterator[bytes]],
    tuple[type[Exception], ...],
]
"""How a stream begins, how it takes bytes, and what it raises."""


def _way(compression: Compression) -> _Way:
    match compression:
        case Compression.NONE:
            return None, _inflate, ()
        case Compression.GZIP:
            library: Any = _zlib()
            return (lambda: library.decompressobj(wbits=_GZIP)), _inflate, (library.error,)
        case Compression.ZSTD:
            library = zstd_library()
            return library.ZstdDecompressor, _unpack_frame, (library.ZstdError,)


def _zlib() -> object:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    module: object = isal_zlib
    return module


def _inflate(stream: Any, data: bytes) -> Iterator[bytes]:
    while data and not stream.eof:
        if unpacked := stream.decompress(data, BLOCK):
            yield unpacked
        data = stream.unconsumed_tail


def _unpack_frame(stream: Any, data: bytes) -> Iterator[bytes]:
    while not stream.eof and (data or not stream.needs_input):
        if unpacked := stream.decompress(data, BLOCK):
            yield unpacked
        data = b""
