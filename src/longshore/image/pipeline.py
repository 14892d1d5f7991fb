"""From a layer's bytes to a blob's: read, verify, pack, hash and hand over, all at the same time.

::

    source ──> cut ──┬─> diff ID and CRC, in order ───────────────┐
                     └─> pack, a segment on each core ──> blob digest, in order ──> chunks

A fixed number of segments is in memory, however large the layer is and however slowly the chunks
are taken. Every stage does its work in C with the interpreter's lock released, in threads; the
event loop only passes references on.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from anyio import (
    CapacityLimiter,
    EndOfStream,
    Event,
    Semaphore,
    create_memory_object_stream,
    create_task_group,
    to_thread,
)
from anyio.abc import ObjectReceiveStream, ObjectSendStream, TaskGroup
from anyio.lowlevel import RunVar

from longshore.errors import ContentMismatch, LongshoreError
from longshore.image.compression import SEGMENT, CompressionOptions, codec_for
from longshore.image.flow import Cutter
from longshore.image.layer import Block, LayerSource
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest, Verifier
from longshore.oci.media_types import Compression, compression_of

_AHEAD: Final = 3
"""Segments in memory for each packing thread: one at work, one done, one read ahead."""

_MOST: Final = 16
"""Segments of one layer in memory, on however many cores; six layers at once stay below 300 MB."""

_shared: RunVar[CapacityLimiter] = RunVar("longshore.image.pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The blob that was made: its `digest` and `size`, and what it is when unpacked again."""

    digest: Digest
    size: int
    diff_id: Digest | None
    """None only for a blob that came packed from a source that does not know it either."""
    uncompressed_size: int | None
    compression: Compression


class CompressedLayer:
    """A blob as it is made: iterate once, to the end, then `packed` tells what it was.

    Iteration raises ContentMismatch when the bytes do not have the diff ID (or, for blobs that
    came packed, the digest) the source announced; then not all chunks have come.
    """

    def __init__(self, chunks: ObjectReceiveStream[Block]) -> None:
        self._chunks = chunks
        self._packed: Packed | None = None
        self._failure: LongshoreError | None = None

    def __aiter__(self) -> AsyncIterator[Block]:
        return self

    async def __anext__(self) -> Block:
        try:
            return await self._chunks.receive()
        except EndOfStream:
            if self._failure:
                raise self._failure from None
            raise StopAsyncIteration from None

    @property
    def packed(self) -> Packed:
        """What was made; only after the end."""
        if self._packed is None:
            raise RuntimeError("a blob's digest is known only after its last chunk")
        return self._packed

    @property
    def digest(self) -> Digest:
        """Of the blob; only after the end."""
        return self.packed.digest

    @property
    def size(self) -> int:
        """Of the blob, in bytes; only after the end."""
        return self.packed.size

    @property
    def diff_id(self) -> Digest | None:
        """Of the tar; only after the end."""
        return self.packed.diff_id


@asynccontextmanager
async def compressed(
    source: LayerSource, options: CompressionOptions
) -> AsyncIterator[CompressedLayer]:
    """Open a layer as the blob to be sent.

    A source that is `packed` already passes as it is, whatever the options say. The same layer
    and options give the same bytes every time. Leaving early stops reading and packing.
    """
    send, receive = create_memory_object_stream[Block](0)
    layer = CompressedLayer(receive)
    left: Exception | None = None
    async with send, receive, create_task_group() as group:
        group.start_soon(_run, layer, source, options, send)
        try:
            yield layer
        except Exception as exc:  # noqa: BLE001 (raised below, where no group wraps it)
            left = exc
        group.cancel_scope.cancel()
    if left:
        raise left


async def _run(
    layer: CompressedLayer,
    source: LayerSource,
    options: CompressionOptions,
    chunks: ObjectSendStream[Block],
) -> None:
    async with chunks:
        try:
            if source.packed:
                layer._packed = await _pass_on(source, source.packed, chunks)
            else:
                layer._packed = await _Press(source, options, chunks).run()
        except* LongshoreError as several:
            layer._failure = _first(several)


def _first(group: BaseExceptionGroup[LongshoreError]) -> LongshoreError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _pass_on(
    source: LayerSource, announced: Descriptor, chunks: ObjectSendStream[Block]
) -> Packed:
    verifier = Verifier(announced.digest, announced.size)
    async with source.open() as blocks:
        async for block in blocks:
            await to_thread.run_sync(verifier.update, block)
            await chunks.send(block)
    verifier.finish()
    return Packed(
        digest=announced.digest,
        size=announced.size,
        diff_id=source.diff_id,
        uncompressed_size=None,
        compression=compression_of(announced.media_type),
    )


class _Segment:
    """A segment, until it is both measured and packed; then its `data` is given back."""

    __slots__ = ("_left", "data", "done", "packed")

    def __init__(self, data: Block) -> None:
        self.data = data
        self.packed: Block = b""
        self.done = Event()
        self._left = 2

    def passed(self) -> None:
        self._left -= 1
        if not self._left:
            self.data = b""
            self.done.set()


class _Press:
    """One layer on its way; every stage is one task."""

    def __init__(
        self, source: LayerSource, options: CompressionOptions, chunks: ObjectSendStream[Block]
    ) -> None:
        self._source = source
        self._compression = options.compression
        self._codec = codec_for(options)
        self._chunks = chunks
        self._limiter = _limiter(options.threads)
        self._room = Semaphore(min(_MOST, _AHEAD * int(self._limiter.total_tokens)))
        self._tar, self._blob = hashlib.sha256(), hashlib.sha256()
        self._tar_size, self._blob_size, self._crc32 = 0, 0, 0

    async def run(self) -> Packed:
        measure, measured = create_memory_object_stream[_Segment](math.inf)
        seal, sealed = create_memory_object_stream[_Segment](math.inf)
        # Closed here as well: a stage cancelled before its first step closes nothing.
        async with measure, measured, seal, sealed, create_task_group() as stages:
            stages.start_soon(self._read, stages, measure, seal)
            stages.start_soon(self._measure, measured)
            stages.start_soon(self._seal, sealed)
        return self._result()

    async def _read(
        self,
        stages: TaskGroup,
        measure: ObjectSendStream[_Segment],
        seal: ObjectSendStream[_Segment],
    ) -> None:
        cutter = Cutter(SEGMENT)

        async def admit(data: Block) -> None:
            await self._room.acquire()
            segment = _Segment(data)
            stages.start_soon(self._pack, segment)
            await measure.send(segment)
            await seal.send(segment)

        async with measure, seal, self._source.open() as blocks:
            async for block in blocks:
                for data in cutter.feed(block):
                    await admit(data)
            for data in cutter.rest():
                await admit(data)

    async def _pack(self, segment: _Segment) -> None:
        segment.packed = await to_thread.run_sync(
            self._codec.pack, segment.data, limiter=self._limiter
        )
        segment.passed()

    async def _measure(self, segments: ObjectReceiveStream[_Segment]) -> None:
        async with segments:
            async for segment in segments:
                await to_thread.run_sync(self._count_tar, segment.data)
                segment.passed()

    def _count_tar(self, data: Block) -> None:
        self._tar.update(data)
        self._tar_size += len(data)
        self._crc32 = self._codec.crc32(data, self._crc32)

    def _verify(self) -> None:
        actual, expected = Digest(self._tar.hexdigest()), self._source.diff_id
        if expected is not None and actual != expected:
            raise ContentMismatch(
                f"layer {expected}, read from the {self._source.origin}, has the digest {actual}",
                hint="it was changed or damaged after it was made; build or pull the image again",
            )

    async def _seal(self, segments: ObjectReceiveStream[_Segment]) -> None:
        await self._hand_over(self._codec.header)
        async with segments:
            async for segment in segments:
                await segment.done.wait()
                await self._hand_over(segment.packed)
                self._room.release()
        self._verify()
        await self._hand_over(self._codec.trailer(self._crc32, self._tar_size))

    async def _hand_over(self, chunk: Block) -> None:
        if not chunk:
            return
        if self._compression is not Compression.NONE:
            await to_thread.run_sync(self._blob.update, chunk)
        self._blob_size += len(chunk)
        await self._chunks.send(chunk)

    def _result(self) -> Packed:
        diff_id = Digest(self._tar.hexdigest())
        bare = self._compression is Compression.NONE
        return Packed(
            digest=diff_id if bare else Digest(self._blob.hexdigest()),
            size=self._blob_size,
            diff_id=diff_id,
            uncompressed_size=self._tar_size,
            compression=self._compression,
        )


def _limiter(threads: int | None) -> CapacityLimiter:
    """Cores are shared by all layers of this event loop, unless a number was asked for."""
    if threads is not None:
        return CapacityLimiter(threads)
    try:
        return _shared.get()
    except LookupError:
        limiter = CapacityLimiter(len(os.sched_getaffinity(0)))
        _shared.set(limiter)
        return limiter
