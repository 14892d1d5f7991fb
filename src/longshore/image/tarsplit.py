"""The engine's tar-split metadata: what is needed to make a layer's tar again, byte for byte.

A gzip of JSON lines (github.com/vbatts/tar-split, ``tar/storage``): entries of type 2 hold raw
bytes of the tar (headers, padding) as base64; entries of type 1 name a file, and its `size` bytes
of content follow here from the layer's directory. Names are data of the image: not trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Final, TypeAlias

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from longshore.errors import ContentMismatch
from longshore.image.unpacking import Unpacker
from longshore.oci.media_types import Compression

Piece: TypeAlias = tuple[bytes, bytes, int]
"""(raw, b"", 0): bytes of the tar itself; (b"", name, size): content of a file, size above 0."""

_FILE, _RAW = 1, 2
_READ: Final = 64 << 10
_LONGEST_LINE: Final = 64 << 20
_WHAT: Final = "the engine's record of a layer (tar-split)"


class _Entry(Struct, gc=False):
    """As Go's encoder writes it; `name_raw` is there when the name is no UTF-8."""

    type: int
    name: str = ""
    name_raw: bytes = b""
    size: int = 0
    payload: bytes | None = None


_DECODER: Final = Decoder(_Entry)


def read_pieces(record: IO[bytes]) -> Iterator[Piece]:
    """The pieces of a layer's ``tar-split.json.gz``; blocking.

    Raises ContentMismatch where it is not what the engine writes, OSError if it cannot be read.
    """
    return parse_pieces(_unpacked(record))


def parse_pieces(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The same of what it unpacks to, cut anywhere; files without content are left out."""
    for lines in _whole_lines(chunks):
        try:
            entries = _DECODER.decode_lines(lines)
        except (DecodeError, UnicodeDecodeError) as exc:
            raise _damaged(str(exc)) from exc
        for entry in entries:
            if entry.type == _RAW:
                if entry.payload:
                    yield entry.payload, b"", 0
            elif entry.type != _FILE:
                raise _damaged(f"an entry of an unknown kind: {entry.type}")
            elif entry.size > 0:
                yield b"", _name(entry), entry.size


def _unpacked(record: IO[bytes]) -> Iterator[bytes]:
    unpacker = Unpacker(Compression.GZIP, _WHAT)
    while packed := record.read(_READ):
        for block in unpacker.feed(packed):
            yield bytes(block)
    unpacker.finish()


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        lines, newline, after = chunk.rpartition(b"\n")
        if newline:
            yield rest + lines
            rest = b""
        rest += after
        if len(rest) > _LONGEST_LINE:
            raise _damaged("a line of it does not end")
    yield rest


def _name(entry: _Entry) -> bytes:
    name = entry.name_raw or entry.name.encode()
    if not name:
        raise _damaged("a file without a name")
    return name


def _damaged(what: str) -> ContentMismatch:
    return ContentMismatch(f"{_WHAT} is damaged: {what}", hint="build or pull the image again")
