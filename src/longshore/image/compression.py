"""Packing a layer's tar in pieces that do not depend on each other.

A layer is cut every `SEGMENT` bytes; each segment is packed alone (so all cores work on one layer)
and the packed segments are joined to one stream that every reader takes:

- gzip: one member (RFC 1952). A segment is a run of deflate blocks that ends at a byte with a full
  flush (RFC 1951, 3.2.4), so the next one starts with an empty window; the last byte pair is an
  empty final block. Header without time and name.
- zstd: one frame a segment; a stream may be many frames (RFC 8878, 3).

The bytes depend on the content, the options and the library's version (`Codec.name` tells them
apart), never on the number of threads or on the lengths in which the content arrived.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol, cast

from msgspec import Struct

from longshore.errors import UsageError
from longshore.image.layer import BLOCK, Block
from longshore.oci.media_types import Compression

SEGMENT: Final = BLOCK
"""Bytes of tar in a segment: blocks of a source's preferred length are segments as they are."""

_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK: Final = b"\x03\x00"
_START: Final = 16
"""Bytes of a segment that are a block of their own with ISA-L.

Its fast loop takes part of an address for the hash of the third byte (in 2.32.1 at least,
igzip_icf_body_h1_gr_bt.asm, ``.write_first_byte``), so that one segment in thousands came out
differently from process to process; so few bytes go another way.
"""
_GZIP_LEVELS: Final = range(10)
_ZSTD_LEVELS: Final = range(1, 20)


class CompressionOptions(Struct, frozen=True, kw_only=True):
    """What the user asked for; `level` None: the fastest that is worth it.

    gzip levels are zlib's 1 to 9, and 0 for ISA-L's fastest: 0 and 1 are ISA-L's (about 15 times
    as fast as zlib's 6 for a tenth more bytes), 2 and above zlib's own. zstd levels are 1 to 19.
    """

    compression: Compression = Compression.GZIP
    level: int | None = None
    threads: int | None = None
    """How many segments are packed at a time; None: one for each core we may use."""


class Codec(Protocol):
    """One way to pack segments; its methods may be called from any thread."""

    @property
    def name(self) -> str:
        """Codec, library, level and segment length: equal names, equal bytes."""
        ...

    @property
    def header(self) -> bytes:
        """What comes before the first segment."""
        ...

    def pack(self, segment: Block) -> Block:
        """The packed form of one segment."""
        ...

    def crc32(self, segment: Block, before: int) -> int:
        """The running checksum, where the trailer needs one."""
        ...

    def trailer(self, crc32: int, size: int) -> bytes:
        """What comes after the last segment: of all bytes, their CRC-32 and how many they are."""
        ...


def codec_for(options: CompressionOptions) -> Codec:
    """The codec for these options.

    Raises UsageError for a level the codec does not have, and for zstd without a library.
    """
    match options.compression:
        case Compression.NONE:
            return _Bare()
        case Compression.GZIP:
            return _gzip(options.level)
        case Compression.ZSTD:
            return _zstd(options.level)


class _Bare(Struct, frozen=True, kw_only=True):
    name: str = "none"
    header: bytes = b""

    def pack(self, segment: Block) -> Block:
        # A buffer of the reading process must go back to it; who sends keeps what it gets.
        return bytes(segment)

    def crc32(self, segment: Block, before: int) -> int:
        return 0

    def trailer(self, crc32: int, size: int) -> bytes:
        return b""


class _Frames(Struct, frozen=True, kw_only=True):
    """zstd."""

    name: str
    compress: Callable[[Block], bytes]
    header: bytes = b""

    def pack(self, segment: Block) -> Block:
        return self.compress(segment)

    def crc32(self, segment: Block, before: int) -> int:
        return 0

    def trailer(self, crc32: int, size: int) -> bytes:
        # No segment at all must still be a stream, and an empty frame is one.
        return b"" if size else self.compress(b"")


class _Member(Struct, frozen=True, kw_only=True):
    """gzip."""

    name: str
    deflate: Callable[[Block], bytes]
    checksum: Callable[[Block, int], int]
    header: bytes = _GZIP_HEADER

    def pack(self, segment: Block) -> Block:
        return self.deflate(segment)

    def crc32(self, segment: Block, before: int) -> int:
        return self.checksum(segment, before)

    def trailer(self, crc32: int, size: int) -> bytes:
        return _LAST_BLOCK + struct.pack("<II", crc32, size & 0xFFFFFFFF)


def _gzip(level: int | None) -> Codec:
    if level is None or level in (0, 1):
        return _isal(1 if level is None else level) or _zlib(1)
    _check_level("gzip", level, _GZIP_LEVELS)
    return _zlib(level)


def _isal(level: int) -> Codec | None:
    try:
        from isal import __version__, isal_zlib
    except ImportError:
        return None

    def deflate(segment: Block) -> bytes:
        # memLevel 9: the larger table makes level 1 a tenth faster.
        packer = isal_zlib.compressobj(level, isal_zlib.DEFLATED, -15, 9)
        whole = memoryview(segment)
        return b"".join(
            (
                packer.compress(whole[:_START]),
                packer.flush(isal_zlib.Z_SYNC_FLUSH),
                packer.compress(whole[_START:]),
                packer.flush(isal_zlib.Z_FULL_FLUSH),
            )
        )

    name = f"gzip isal-{__version__} level {level} segment {_START}+{SEGMENT - _START}"
    return _Member(name=name, deflate=deflate, checksum=isal_zlib.crc32)


def _zlib(level: int) -> Codec:
    def deflate(segment: Block) -> bytes:
        packer = zlib.compressobj(level, zlib.DEFLATED, -15)
        return packer.compress(segment) + packer.flush(zlib.Z_FULL_FLUSH)

    name = f"gzip zlib-{zlib.ZLIB_RUNTIME_VERSION} level {level} segment {SEGMENT}"
    return _Member(name=name, deflate=deflate, checksum=zlib.crc32)


def _zstd(level: int | None) -> Codec:
    chosen = 1 if level is None else level
    _check_level("zstd", chosen, _ZSTD_LEVELS)
    library = zstd_library()
    name = f"zstd {library.__name__} level {chosen} segment {SEGMENT}"
    return _Frames(
        name=name, compress=lambda segment: cast(bytes, library.compress(segment, chosen))
    )


def zstd_library() -> Any:
    """The module of Python 3.14 or its backport, which are the same; raises UsageError."""
    for module in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(module)
        except ImportError:
            continue
    raise UsageError(
        "packing with zstd needs a zstd library, and this Python has none",
        hint="install backports.zstd beside longshore, or use Python 3.14, which brings its own",
    )


def _check_level(name: str, level: int, allowed: range) -> None:
    if level not in allowed:
        raise UsageError(
            f"{name} has no compression level {level}",
            hint=f"use a level from {allowed.start} to {allowed.stop - 1}",
        )
