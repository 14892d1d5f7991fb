"""A layer becomes a blob: verified, the same every time, in bounded memory."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.errors import ContentMismatch, EngineUnavailable, UsageError
from longshore.image.compressed import CompressedLayer
from longshore.image.compression import SEGMENT, CompressionOptions
from longshore.image.layer import Block, Blocks
from longshore.image.pipeline import compressed
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression, Format
from longshore.testing.images import RandomLayer

CONTENT = b"".join(RandomLayer(content=5 * SEGMENT + 12345, files=7).chunks())


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A layer in memory, given out in the lengths asked for; then `failure`, if any."""

    blocks: Sequence[bytes]
    diff_id: Digest | None = None
    packed: Descriptor | None = None
    failure: Exception | None = None
    size: int | None = None
    origin: str = "memory"

    def open(self) -> Blocks:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[AsyncIterator[Block]]:
        yield self._each()

    async def _each(self) -> AsyncIterator[Block]:
        for block in self.blocks:
            yield block
        if self.failure:
            raise self.failure


def _cut(content: bytes, length: int) -> list[bytes]:
    return [content[i : i + length] for i in range(0, len(content), length)]


async def _pack(source: Memory, options: CompressionOptions) -> tuple[bytes, CompressedLayer]:
    async with compressed(source, options) as layer:
        chunks = [bytes(chunk) async for chunk in layer]
    return b"".join(chunks), layer


async def test_the_blob_unpacks_to_the_layer_and_tells_what_it_is() -> None:
    source = Memory(blocks=_cut(CONTENT, 700_001), diff_id=Digest.of(CONTENT))
    blob, layer = await _pack(source, CompressionOptions())
    assert gzip.decompress(blob) == CONTENT
    assert (layer.digest, layer.size) == (Digest.of(blob), len(blob))
    assert layer.diff_id == Digest.of(CONTENT)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("length", [4096, SEGMENT, 3 * SEGMENT + 1, len(CONTENT)])
async def test_the_same_layer_gives_the_same_bytes(threads: int, length: int) -> None:
    expected, _ = await _pack(Memory(blocks=[CONTENT]), CompressionOptions())
    blob, _ = await _pack(Memory(blocks=_cut(CONTENT, length)), CompressionOptions(threads=threads))
    assert blob == expected


async def test_none_sends_the_tar_with_the_diff_id_as_digest() -> None:
    options = CompressionOptions(compression=Compression.NONE)
    blob, layer = await _pack(Memory(blocks=_cut(CONTENT, 99_999)), options)
    assert blob == CONTENT
    assert layer.digest == layer.diff_id == Digest.of(CONTENT)


async def test_an_empty_stream_is_a_valid_blob() -> None:
    blob, layer = await _pack(Memory(blocks=[]), CompressionOptions())
    assert gzip.decompress(blob) == b""
    assert layer.diff_id == Digest.of(b"")


async def test_another_diff_id_is_a_content_mismatch_before_the_blob_is_whole() -> None:
    source = Memory(blocks=_cut(CONTENT, SEGMENT), diff_id=Digest("0" * 64))
    received = bytearray()

    async def collect() -> None:
        async with compressed(source, CompressionOptions()) as layer:
            async for chunk in layer:
                received.extend(chunk)

    with pytest.raises(ContentMismatch, match=r"0000, read from the memory, has the digest"):
        await collect()
    with pytest.raises(EOFError):
        gzip.decompress(received)


@pytest.mark.parametrize("after", [0, 1, 4])
async def test_a_source_that_breaks_raises_what_broke_it_bare(after: int) -> None:
    source = Memory(blocks=_cut(CONTENT, SEGMENT)[:after], failure=EngineUnavailable("gone"))
    with pytest.raises(EngineUnavailable, match="gone"):
        await _pack(source, CompressionOptions())


async def test_an_error_of_the_reader_of_the_blob_comes_out_bare() -> None:
    async def fail() -> None:
        async with compressed(Memory(blocks=[CONTENT]), CompressionOptions()) as layer:
            async for _ in layer:
                raise KeyError

    with pytest.raises(KeyError):
        await fail()


async def test_leaving_early_ends_everything() -> None:
    async def endless() -> AsyncIterator[Block]:
        while True:
            yield bytes(SEGMENT)

    @dataclass(frozen=True)
    class Endless(Memory):
        def _each(self) -> AsyncIterator[Block]:
            return endless()

    with anyio.fail_after(10):
        async with compressed(Endless(blocks=[]), CompressionOptions()) as layer:
            await anext(layer)


async def test_nothing_is_read_far_ahead_of_a_slow_reader() -> None:
    given_out = 0

    async def counted() -> AsyncIterator[Block]:
        nonlocal given_out
        while True:
            given_out += 1
            yield bytes(SEGMENT)

    @dataclass(frozen=True)
    class Counted(Memory):
        def _each(self) -> AsyncIterator[Block]:
            return counted()

    async with compressed(Counted(blocks=[]), CompressionOptions(threads=2)) as layer:
        await anext(layer)
        await anyio.wait_all_tasks_blocked()
        assert given_out <= 8


async def test_the_digest_is_not_known_before_the_end() -> None:
    async with compressed(Memory(blocks=[CONTENT]), CompressionOptions()) as layer:
        with pytest.raises(RuntimeError, match="after its last chunk"):
            _ = layer.digest


async def test_a_level_that_does_not_exist_is_reported() -> None:
    with pytest.raises(UsageError):
        await _pack(Memory(blocks=[CONTENT]), CompressionOptions(level=77))


def _packed(blob: bytes, digest: Digest) -> Descriptor:
    return Descriptor(
        media_type=Format.OCI.layer_type(Compression.GZIP), digest=digest, size=len(blob)
    )


async def test_a_packed_layer_passes_as_it_is() -> None:
    blob = gzip.compress(CONTENT, 1)
    source = Memory(blocks=_cut(blob, 10_000), packed=_packed(blob, Digest.of(blob)))
    sent, layer = await _pack(source, CompressionOptions(compression=Compression.NONE))
    assert sent == blob
    assert layer.digest == Digest.of(blob)


async def test_a_packed_layer_with_another_digest_is_a_content_mismatch() -> None:
    blob = gzip.compress(CONTENT, 1)
    source = Memory(blocks=[blob], packed=_packed(blob, Digest("1" * 64)))
    with pytest.raises(ContentMismatch):
        await _pack(source, CompressionOptions())


@pytest.mark.parametrize("compression", Compression)
async def test_a_packed_layer_that_holds_another_layer_never_becomes_a_whole_blob(
    compression: Compression,
) -> None:
    options = CompressionOptions(compression=compression)
    blob, made = await _pack(Memory(blocks=[CONTENT]), options)
    assert made.diff_id == Digest.of(CONTENT)
    descriptor = Descriptor(
        media_type=Format.OCI.layer_type(compression), digest=Digest.of(blob), size=len(blob)
    )
    claimed = Memory(blocks=_cut(blob, 9999), packed=descriptor, diff_id=Digest("2" * 64))
    received = bytearray()

    async def collect() -> None:
        async with compressed(claimed, CompressionOptions()) as layer:
            async for chunk in layer:
                received.extend(chunk)

    with pytest.raises(ContentMismatch, match=r"2222, read from the memory, has the digest"):
        await collect()
    assert len(received) < len(blob)


@pytest.mark.parametrize("damage", [lambda blob: blob[:-5], lambda blob: b"xx" + blob[2:]])
async def test_a_packed_layer_that_is_not_packed_as_it_says_is_a_content_mismatch(
    damage: Callable[[bytes], bytes],
) -> None:
    blob = damage(gzip.compress(CONTENT, 1))
    source = Memory(blocks=_cut(blob, 10_000), packed=_packed(blob, Digest.of(blob)))
    with pytest.raises(ContentMismatch, match="is no gzip"):
        await _pack(source, CompressionOptions())


async def test_several_layers_at_once_do_not_mix() -> None:
    contents = [bytes([n]) * (SEGMENT + n) for n in range(8)]
    blobs: dict[int, bytes] = {}

    async def one(number: int) -> None:
        source = Memory(blocks=[contents[number]], diff_id=Digest.of(contents[number]))
        blobs[number], _ = await _pack(source, CompressionOptions())

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(one, number)
    assert [gzip.decompress(blobs[number]) for number in range(8)] == contents


@settings(max_examples=15, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=3000), max_size=10))
def test_any_content_survives(blocks: list[bytes]) -> None:
    content = b"".join(blocks)
    source = Memory(blocks=blocks, diff_id=Digest.of(content))
    blob, _ = anyio.run(_pack, source, CompressionOptions())
    assert gzip.decompress(blob) == content


_MEASURE = """
import anyio, hashlib, re, sys
from pathlib import Path
from contextlib import asynccontextmanager
from longshore.image.compression import SEGMENT, CompressionOptions
from longshore.image.pipeline import compressed

class Source:
    diff_id = packed = size = None
    origin = "nowhere"
    @asynccontextmanager
    async def open(self):
        async def blocks():
            for number in range(int(sys.argv[2])):
                yield hashlib.shake_128(number.to_bytes(4, "big")).digest(4096) * (SEGMENT // 4096)
        yield blocks()

async def one():
    async with compressed(Source(), CompressionOptions()) as layer:
        async for chunk in layer:
            pass

async def main():
    async with anyio.create_task_group() as group:
        for _ in range(int(sys.argv[1])):
            group.start_soon(one)

anyio.run(main)
# Not ru_maxrss: it counts what the process was before exec, too.
print(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
"""


def _peak(layers: int, segments: int) -> int:
    """KiB of memory a process needs for layers of so many MiB at once."""
    command = [sys.executable, "-c", _MEASURE, str(layers), str(segments)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_layer() -> None:
    assert _peak(1, 1200) < _peak(1, 200) + (30 << 10)


@pytest.mark.slow
def test_six_layers_at_once_stay_below_the_limit() -> None:
    assert _peak(6, 150) < 300 << 10
