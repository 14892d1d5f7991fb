"""The files in an engine's archive of a directory, one after the other, as fast as Python can.

`longshore.image.tar_stream` reads any tar, a few members a millisecond; a layer may have a hundred
thousand files. Engines write these archives with Go's ``archive/tar`` in its PAX format (moby
``pkg/archive``): ustar headers, PAX records where those do not suffice, hard links after the file
they mean. Anything else is refused.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from longshore.errors import NotFound

_RECORD: Final = 512
_GATHERED: Final = 256 << 10
_MAGIC: Final = b"ustar\0"
_REGULAR, _LINK, _PAX, _PAX_GLOBAL = b"01xg"
_WITHOUT_CONTENT: Final = frozenset(b"23456")
"""Symlinks, devices, directories, fifos."""


class FileStream:
    """One pass; at any time there is a current file, or none.

    Names are bytes as they are in the file system, relative to the directory, whose own name leads
    them in the archive. Whatever is not as engines write it raises NotFound.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._data, self._at, self._padding = b"", 0, 0
        self._extended: dict[bytes, bytes] = {}
        self.name: bytes | None = None
        """Of the current file; None when there is none."""
        self.left = 0
        """Bytes of its content that were not read."""
        self.links: dict[bytes, bytes] = {}
        """Further names of files that have come, with the name under which they came."""

    def whole(self, name: bytes, size: int) -> memoryview | None:
        """The content of the next file if it is `name` and has arrived as a whole, else None."""
        if self.name is None and not self._find():
            return None
        at, end = self._at, self._at + size
        if self.name != name or self.left != size or end > len(self._data):
            return None
        self._pass(size)
        return memoryview(self._data)[at:end]

    async def next(self) -> bool:
        """Make sure that there is a current file (of at least a byte); false at the end."""
        while self.name is None and not self._find():
            if not await self._more():
                return False
        return True

    async def some(self) -> memoryview:
        """The next piece of the current file, which is none any more after its last piece."""
        if self._at >= len(self._data) and not await self._more():
            raise _foreign("it ended in the middle of a file")
        at, end = self._at, min(self._at + self.left, len(self._data))
        self._pass(end - at)
        return memoryview(self._data)[at:end]

    async def rest(self) -> AsyncGenerator[memoryview, None]:
        """What is left of the current file, as it comes."""
        while self.name is not None:
            yield await self.some()

    async def finish(self) -> None:
        """Read to the end, so that the connection can be used again."""
        async for _ in self._chunks:
            pass

    def _pass(self, count: int) -> None:
        self._at += count
        self.left -= count
        if not self.left:
            self.name = None

    async def _more(self) -> bool:
        pieces = [self._data[self._at :]]
        count = 0
        async for chunk in self._chunks:
            pieces.append(chunk)
            count += len(chunk)
            if count >= _GATHERED:
                break
        self._data, self._at = b"".join(pieces), 0
        return count > 0

    def _find(self) -> bool:
        """Go on to the next file with content; false when more has to be read for that."""
        data = self._data
        while len(data) >= (end := (at := self._at + self._padding) + _RECORD):
            kind = data[at + 156]
            if kind == _REGULAR:
                self._at, self._padding = end, 0
                if self._begin(at):
                    return True
            elif kind in (_PAX, _PAX_GLOBAL):
                if not self._extend(at, end):
                    return False
            else:
                self._at, self._padding = end, 0
                self._note(at, kind)
        return False

    def _begin(self, at: int) -> bool:
        name, size = self._name_at(at), self._size_at(at)
        if self._extended:
            name = self._extended.get(b"path", name)
            size = _number(self._extended.get(b"size", b"%d" % size), 10)
            self._extended = {}
        self.left, self._padding = size, -size % _RECORD
        if size:
            self.name = _below(name)
        return size > 0

    def _extend(self, at: int, end: int) -> bool:
        size = self._size_at(at)
        if size > _GATHERED:
            raise _foreign("it has a header of odd length")
        if len(self._data) < end + size:
            return False
        if self._data[at + 156] == _PAX:
            self._extended |= _records(self._data[end : end + size])
        self._at, self._padding = end + size, -size % _RECORD
        return True

    def _note(self, at: int, kind: int) -> None:
        if kind == _LINK:
            name = self._extended.get(b"path", self._name_at(at))
            target = self._data[at + 157 : at + 257].rstrip(b"\0")
            self.links[_below(name)] = _below(self._extended.get(b"linkpath", target))
        elif kind not in _WITHOUT_CONTENT and any(self._data[at : at + _RECORD]):
            raise _foreign(f"it has an entry of the kind {chr(kind)!r}")
        self._extended = {}

    def _name_at(self, at: int) -> bytes:
        data = self._data
        name = data[at : at + 100].rstrip(b"\0")
        if data[at + 345] and data[at + 257 : at + 263] == _MAGIC:
            return data[at + 345 : at + 500].rstrip(b"\0") + b"/" + name
        return name

    def _size_at(self, at: int) -> int:
        return _number(self._data[at + 124 : at + 135], 8)


def _records(text: bytes) -> dict[bytes, bytes]:
    """``LENGTH KEY=VALUE\\n``, the length that of all of it (POSIX pax, "Extended Header")."""
    found = {}
    while text:
        length = _number(text.partition(b" ")[0], 10)
        key, equals, value = text[:length].partition(b" ")[2].partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise _foreign("it has a header that cannot be read")
        found[key] = value[:-1]
        text = text[length:]
    return found


def _number(text: bytes, base: int) -> int:
    try:
        return int(text.rstrip(b"\0 "), base)
    except ValueError:
        raise _foreign("it has a header that cannot be read") from None


def _below(name: bytes) -> bytes:
    return name.partition(b"/")[2]


def _foreign(what: str) -> NotFound:
    return NotFound(f"the engine's archive is not as expected: {what}")
