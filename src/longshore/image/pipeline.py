"""From a layer's bytes to a blob's: read, verify, pack, hash and hand over, all at the same time.

::

    source ──> cut ──┬─> diff ID and CRC, in order ───────────────┐
                     └─> pack, a segment on each core ──> blob digest, in order ──> chunks

A fixed number of segments is in memory, however large the layer is and however slowly the chunks
are taken. All work is done in C with the interpreter's lock released, in one visit of a thread for
each segment; the event loop only passes references on, and little of that: a turn of it for a
stage of a segment once took as long as hashing it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Final, Protocol, TypeGuard, runtime_checkable

from anyio import (
    CapacityLimiter,
    EndOfStream,
    Lock,
    Semaphore,
    create_memory_object_stream,
    create_task_group,
    to_thread,
)
from anyio.abc import ObjectReceiveStream, ObjectSendStream, TaskGroup
from anyio.lowlevel import RunVar

from longshore.errors import LongshoreError
from longshore.image.compressed import CompressedLayer, NoProcess
from longshore.image.compression import SEGMENT, CompressionOptions
from longshore.image.cores import usable_cores
from longshore.image.flow import Cutter
from longshore.image.layer import Block, LayerSource
from longshore.image.packing import Packed, Packing, Segment, check_diff_id
from longshore.image.unpacking import Unpacker
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest, Verifier
from longshore.oci.media_types import compression_of
from longshore.oci.sha256 import Sha256

_AHEAD: Final = 3
"""Segments in memory for each packing thread: one at work, one done, one read ahead."""

_MOST: Final = 8
"""Segments of one layer in memory, on however many cores; six layers at once stay below 300 MB."""

_shared: RunVar[CapacityLimiter] = RunVar("longshore.image.pipeline")


@runtime_checkable
class SelfPacking(Protocol):
    """A layer that may be able to have itself packed elsewhere; `packer` None: not now.

    Opening it raises NoProcess where the machine has no process left.
    """

    def packer(
        self, options: CompressionOptions
    ) -> AbstractAsyncContextManager[CompressedLayer] | None:
        """Open the blob, which is iterated once, to the end."""
        ...


class _Piped(CompressedLayer):
    """The blob of a layer as this process makes it."""

    def __init__(self, chunks: ObjectReceiveStream[Block]) -> None:
        super().__init__()
        self._chunks = chunks
        self._failure: LongshoreError | None = None

    async def __anext__(self) -> Block:
        try:
            return await self._chunks.receive()
        except EndOfStream:
            if self._failure:
                raise self._failure from None
            raise StopAsyncIteration from None


@asynccontextmanager
async def compressed(
    source: LayerSource, options: CompressionOptions
) -> AsyncIterator[CompressedLayer]:
    """Open a layer as the blob to be sent.

    A source that is `packed` already passes as it is, whatever the options say. The same layer
    and options give the same bytes every time. Leaving early stops reading and packing.
    """
    async with AsyncExitStack() as stack:
        yield await _opened(stack, source, options)


async def _opened(
    stack: AsyncExitStack, source: LayerSource, options: CompressionOptions
) -> CompressedLayer:
    if _packs_itself(source) and (packer := source.packer(options)):
        with suppress(NoProcess):  # then here, if more slowly
            return await stack.enter_async_context(packer)
    return await stack.enter_async_context(_piped(source, options))


def _packs_itself(source: LayerSource) -> TypeGuard[SelfPacking]:
    return source.packed is None and isinstance(source, SelfPacking)


@asynccontextmanager
async def _piped(source: LayerSource, options: CompressionOptions) -> AsyncIterator[_Piped]:
    send, receive = create_memory_object_stream[Block](0)
    layer = _Piped(receive)
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
    layer: _Piped,
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
    check = _PackedCheck(source, announced)
    async with source.open() as blocks:
        held: Block = b""
        async for block in blocks:
            if held:
                await chunks.send(held)
            await to_thread.run_sync(check.update, block)
            held = block
    packed = await to_thread.run_sync(check.finish)
    # Only now: whoever wants a damaged layer must not have the whole of it.
    if held:
        await chunks.send(held)
    return packed


class _PackedCheck:
    """A blob that came packed: it has to be the announced one, and hold the announced layer."""

    def __init__(self, source: LayerSource, announced: Descriptor) -> None:
        self._source, self._announced = source, announced
        what = f"layer {announced.digest}, read from the {source.origin},"
        self._blob = Verifier(announced.digest, announced.size)
        self._unpacker = Unpacker(compression_of(announced.media_type), what)
        self._tar = Sha256()

    def update(self, block: Block) -> None:
        self._blob.update(block)
        for piece in self._unpacker.feed(block):
            self._tar.update(piece)

    def finish(self) -> Packed:
        self._blob.finish()
        self._unpacker.finish()
        diff_id = Digest(self._tar.hexdigest())
        check_diff_id(diff_id, self._source.diff_id, self._source.origin)
        return Packed(
            digest=self._announced.digest,
            size=self._announced.size,
            diff_id=diff_id,
        )


class _Press:
    """One layer on its way through this process: each segment is one visit of a thread."""

    def __init__(
        self, source: LayerSource, options: CompressionOptions, chunks: ObjectSendStream[Block]
    ) -> None:
        self._source = source
        self._packing = Packing(options)
        self._chunks = chunks
        self._limiter = _limiter(options.threads)
        most = min(_MOST, _AHEAD * int(self._limiter.total_tokens))
        self._room = Semaphore(most, fast_acquire=True)
        self._giving = Lock(fast_acquire=True)

    async def run(self) -> Packed:
        await self._give(self._packing.begin())
        cutter = Cutter(SEGMENT)
        async with create_task_group() as tasks, self._source.open() as blocks:
            async for block in blocks:
                for data in cutter.feed(block):
                    await self._admit(tasks, data)
            for data in cutter.rest():
                await self._admit(tasks, data)
        check_diff_id(self._packing.diff_id, self._source.diff_id, self._source.origin)
        await self._give(self._packing.end())
        return self._packing.packed

    async def _admit(self, tasks: TaskGroup, data: Block) -> None:
        await self._room.acquire()
        tasks.start_soon(self._pack, self._packing.admit(data))

    async def _pack(self, segment: Segment) -> None:
        await to_thread.run_sync(self._packing.visit, segment, limiter=self._limiter)
        async with self._giving:
            for chunk in self._packing.taken():
                await self._give(chunk)
                self._room.release()

    async def _give(self, chunk: Block) -> None:
        if chunk:
            await self._chunks.send(chunk)


def _limiter(threads: int | None) -> CapacityLimiter:
    """Cores are shared by all layers of this event loop, unless a number was asked for."""
    if threads is not None:
        return CapacityLimiter(threads)
    try:
        return _shared.get()
    except LookupError:
        limiter = CapacityLimiter(usable_cores())
        _shared.set(limiter)
        return limiter
