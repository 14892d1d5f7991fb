"""Reading a tar as it arrives, member by member, without seeking."""

from __future__ import annotations

import tarfile
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from msgspec import Struct

from longshore.errors import ContentMismatch, InvalidValue
from longshore.image.layer import Block

_RECORD: Final = 512
_LARGEST_EXTENSION: Final = 1 << 20
_LONGEST_SIZE: Final = 19
"""Digits of the largest file there can be (2^63 bytes)."""
_GNU_NAME, _GNU_LINK = b"L", b"K"


class Member(Struct, frozen=True, kw_only=True):
    """A member's name, bytes of content, and whether it is a regular file."""

    name: str
    size: int
    regular: bool


class TarStream:
    """One pass over a tar (POSIX ustar with pax and GNU extensions).

    Raises InvalidValue where the stream is no tar, ContentMismatch where it ends too early.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._ready = memoryview(b"")
        self._left = 0
        self._padding = 0

    async def next(self) -> Member | None:
        """The next member, past whatever was not read of this one; None at the end."""
        names: dict[str, str] = {}
        while True:
            async for _ in self.content():
                pass
            await self._exactly(self._padding)
            self._padding = 0
            header = await self._header()
            if header is None:
                return None
            self._left, self._padding = header.size, -header.size % _RECORD
            if header.type in (tarfile.XHDTYPE, _GNU_NAME, _GNU_LINK):
                names |= await self._extension(header)
            elif header.type != tarfile.XGLTYPE:
                return self._member(header, names)

    async def content(self) -> AsyncGenerator[Block, None]:
        """What is left of the member's content, as it comes."""
        while self._left:
            if not self._ready and not await self._more():
                raise ContentMismatch("the image export ended in the middle of a file")
            block = self._ready[: self._left]
            self._ready = self._ready[len(block) :]
            self._left -= len(block)
            yield block

    async def document(self, limit: int) -> bytes:
        """All that is left of the member's content; InvalidValue above `limit` bytes."""
        if self._left > limit:
            raise InvalidValue(f"a document of the image export is too large: {self._left} bytes")
        return b"".join([bytes(block) async for block in self.content()])

    async def peek(self, length: int) -> bytes:
        """Up to `length` bytes of the content, which stay to be read."""
        length = min(length, self._left)
        while len(self._ready) < length:
            before = bytes(self._ready)
            if not await self._more():
                break
            self._ready = memoryview(before + bytes(self._ready))
        return bytes(self._ready[:length])

    def _member(self, header: tarfile.TarInfo, names: dict[str, str]) -> Member:
        if "size" in names:
            digits = names["size"]
            size = int(digits) if digits.isdecimal() and len(digits) <= _LONGEST_SIZE else -1
            self._left, self._padding = _possible(size), -size % _RECORD
        name = names.get("path", header.name)
        return Member(
            name=name.rstrip("/").removeprefix("./"), size=self._left, regular=header.isreg()
        )

    async def _header(self) -> tarfile.TarInfo | None:
        record = await self._exactly(_RECORD, or_end=True)
        if not record.strip(b"\0"):
            return None
        try:
            header = tarfile.TarInfo.frombuf(record, "utf-8", "surrogateescape")
        except tarfile.HeaderError as exc:
            raise InvalidValue(f"the image export is no tar: {exc}") from exc
        _possible(header.size)
        return header

    async def _extension(self, header: tarfile.TarInfo) -> dict[str, str]:
        text = (await self.document(_LARGEST_EXTENSION)).decode(errors="surrogateescape")
        if header.type == _GNU_NAME:
            return {"path": text.rstrip("\0")}
        if header.type == _GNU_LINK:
            return {}
        # POSIX pax: "LENGTH KEY=VALUE\n"; none of the values we look at has a newline.
        fields = (line.partition(" ")[2].partition("=") for line in text.split("\n"))
        return {key: value for key, _, value in fields if key}

    async def _exactly(self, length: int, *, or_end: bool = False) -> bytes:
        while len(self._ready) < length:
            before = bytes(self._ready)
            if not await self._more():
                if or_end and not before:
                    return b""
                raise ContentMismatch("the image export ended before its time")
            self._ready = memoryview(before + bytes(self._ready))
        data, self._ready = bytes(self._ready[:length]), self._ready[length:]
        return data

    async def _more(self) -> bool:
        async for chunk in self._chunks:
            if chunk:
                self._ready = memoryview(chunk)
                return True
        self._ready = memoryview(b"")
        return False


def _possible(size: int) -> int:
    """A size as it is; GNU's headers can hold negative ones."""
    if size < 0:
        raise InvalidValue("the image export is no tar: a size is no number")
    return size
