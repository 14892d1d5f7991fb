"""Blobs of a registry: the stream that is sent, the question whether one exists, and reading."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

from msgspec import Struct

from longshore.errors import ContentMismatch, RegistryError, RegistryUnavailable
from longshore.oci.digest import Digest, Verifier
from longshore.registry.line import Call
from longshore.registry.transport.errors import Interrupted
from longshore.registry.transport.exchange import Answer, Buffer
from longshore.registry.transport.redirects import FOR_NOW

MAY_NOT_LOOK: Final = frozenset({401, 403, 405})
"""What a registry answers to a question about a manifest to which we have no right, or which it
does not know; to write is another right, and often given alone."""


class BlobStream(Protocol):
    """The bytes of one blob on their way by; its digest is known only after the last.

    Pieces are sent without copying, so they must not change afterwards; about 512 KiB each is a
    good size. `longshore.image.compressed.CompressedLayer` is one.
    """

    def __aiter__(self) -> AsyncIterator[Buffer]:
        """The bytes from zero; called once."""
        ...

    @property
    def digest(self) -> Digest:
        """Of all bytes; only after the end."""
        ...

    @property
    def size(self) -> int:
        """Of all bytes; only after the end."""
        ...


class BlobSource(Protocol):
    """A blob that can be read, and read again after a break that cannot be mended otherwise.

    Every opening gives the same bytes. Opened, read and closed in one task, never twice at once.
    A source that can be read only once raises a LongshoreError when it is opened again.
    """

    def open(self) -> AbstractAsyncContextManager[BlobStream]:
        """Start at zero; leaving the block stops the reading."""
        ...


class BlobBytes(Struct, frozen=True):
    """A blob in memory, such as an image's configuration."""

    content: bytes

    @asynccontextmanager
    async def open(self) -> AsyncIterator[BlobBytes]:
        """See `BlobSource`."""
        yield self

    async def __aiter__(self) -> AsyncIterator[Buffer]:
        if self.content:
            yield self.content

    @property
    def digest(self) -> Digest:
        """See `BlobStream`."""
        return Digest.of(self.content)

    @property
    def size(self) -> int:
        """See `BlobStream`."""
        return len(self.content)


async def size_of(call: Call, digest: Digest) -> int | None:
    """How large the blob is there (OCI distribution spec, end-2), None when it is not there.

    -1 when the registry does not tell its size. Raises RegistryError for all else.
    """
    what = f"blob {digest}"
    answer = await call.ask("HEAD", await call.url(f"blobs/{digest}"), what)
    if answer.status == 404:
        return None
    if answer.status in FOR_NOW:
        return -1  # kept on a host that we do not reach (see `Redirecting`)
    if answer.status != 200:
        raise call.refusal(answer, what)
    named = answer.headers.get("Docker-Content-Digest")
    if named is not None and named != str(digest):
        raise mismatch(call, what, digest, named)
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else -1


async def look_for(call: Call, digest: Digest) -> int | None:
    """As `size_of`; None as well where the question is refused, for it only saves time to know."""
    try:
        return await size_of(call, digest)
    except (ContentMismatch, RegistryUnavailable):
        raise
    except RegistryError:
        return None


@asynccontextmanager
async def reading(
    call: Call, digest: Digest, size: int | None = None
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Read a blob; its bytes are verified as they flow, and a broken answer is gone on with.

    Iterating raises ContentMismatch when the bytes are not those of `digest` (at the latest at
    the end: use nothing before), RegistryError when it cannot be had.
    """
    reader = _Reader(call, digest, size)
    try:
        yield reader.read()
    finally:
        await reader.aclose()


class _Reader:
    def __init__(self, call: Call, digest: Digest, size: int | None) -> None:
        self._call = call
        self._what = f"blob {digest}"
        self._path = f"blobs/{digest}"
        self._verifier = Verifier(digest, size)
        self._answer: Answer | None = None

    async def read(self) -> AsyncIterator[bytes]:
        patience = await self._call.patience()
        while True:
            try:
                async for data in self._open():
                    self._verifier.update(data)
                    patience.progress()
                    yield data
            except Interrupted as interruption:
                await self.aclose()
                await patience.pause(interruption)
            else:
                self._verifier.finish()
                return

    async def _open(self) -> AsyncIterator[bytes]:
        """The bytes from where we are; the answer may ignore the Range and begin at zero."""
        offset = self._verifier.count
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        url = await self._call.url(self._path)
        self._answer = answer = await self._call.ask(
            "GET", url, self._what, headers=headers, keep_open=True
        )
        if answer.content is None:
            raise self._call.refusal(answer, self._what)
        skip = offset if answer.status == 200 else 0
        async for data in answer.content:
            if skip < len(data):
                yield data[skip:]
            skip = max(0, skip - len(data))

    async def aclose(self) -> None:
        if self._answer is not None and self._answer.content is not None:
            await self._answer.content.aclose()


def mismatch(call: Call, what: str, expected: Digest, named: str) -> RegistryError:
    """The registry names another digest for what it was given or asked for."""
    return ContentMismatch(
        f"{call.line.host} answered for {what} of {call.repository} with the digest {named}, "
        f"but it is {expected}",
        hint="the content was changed on its way, or something mixes up answers",
        registry=call.line.host,
        repository=call.repository,
    )
