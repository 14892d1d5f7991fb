"""The engine's tar-split metadata: what is needed to make a layer's tar again, byte for byte.

A gzip of JSON lines (github.com/vbatts/tar-split, ``tar/storage``): entries of type 2 hold raw
bytes of the tar (headers, padding) as base64; entries of type 1 name a file, and its `size` bytes
of content follow here from the layer's directory. Names are data of the image: not trusted.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from binascii import Error as BinasciiError
from binascii import a2b_base64
from collections.abc import Iterable, Iterator
from typing import IO, Final, TypeAlias

from longshore.errors import ContentMismatch

Piece: TypeAlias = tuple[bytes, bytes, int]
"""(raw, b"", 0): bytes of the tar itself; (b"", name, size): content of a file, size above 0."""

# What Go's encoder writes for nearly every line; with a backslash in it a line is decoded as JSON.
_RAW_START: Final = b'{"type":2,"payload":"'
_FILE: Final = re.compile(rb'\{"type":1,"name":"([^"\\]*)","size":([0-9]+),')
_EMPTY: Final = re.compile(rb'\{"type":1,"name":"[^"\\]*","payload":')
_LONGEST_LINE: Final = 64 << 20


def read_pieces(record: str | os.PathLike[str] | IO[bytes]) -> Iterator[Piece]:
    """The pieces of a layer's ``tar-split.json.gz``; blocking.

    Raises ContentMismatch where it is not what the engine writes, OSError if it cannot be read.
    """
    try:
        with gzip.open(record, "rb") as lines:
            yield from parse_pieces(iter(lambda: lines.readline(_LONGEST_LINE), b""))
    except (EOFError, gzip.BadGzipFile, zlib.error) as exc:
        raise _damaged(str(exc)) from exc


def parse_pieces(lines: Iterable[bytes]) -> Iterator[Piece]:
    """The same from lines; files without content are left out."""
    start, length = _RAW_START, len(_RAW_START)
    for line in lines:
        if line.startswith(start):
            # Up to the quote: base64 has no escapes.
            yield _decoded(line[length : line.find(b'"', length)]), b"", 0
        elif match := _FILE.match(line):
            yield b"", match[1], int(match[2])
        elif not _EMPTY.match(line):
            yield from _slow(line)


def _slow(line: bytes) -> Iterator[Piece]:
    try:
        entry = json.loads(line)
    except ValueError as exc:
        raise _damaged(str(exc)) from exc
    match entry:
        case {"type": 2, "payload": str(payload)}:
            yield _decoded(payload.encode()), b"", 0
        case {"type": 2, "payload": None}:
            return
        case {"type": 1, "size": int(size)} if size > 0:
            yield b"", _name(entry), size
        case {"type": 1}:
            return
        case _:
            raise _damaged(f"an entry of an unknown kind: {line[:80]!r}")


def _name(entry: object) -> bytes:
    match entry:
        case {"name_raw": str(raw)}:
            return _decoded(raw.encode())
        case {"name": str(name)}:
            return name.encode("utf-8", "surrogatepass")
        case _:
            raise _damaged("a file without a name")


def _decoded(payload: bytes) -> bytes:
    try:
        return a2b_base64(payload)
    except BinasciiError as exc:
        raise _damaged(str(exc)) from exc


def _damaged(what: str) -> ContentMismatch:
    return ContentMismatch(
        f"the engine's record of a layer (tar-split) is damaged: {what}",
        hint="build or pull the image again",
    )
