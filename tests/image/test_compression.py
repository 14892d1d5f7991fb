"""Packed segments joined are one stream that every reader takes, and always the same one."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from longshore.errors import UsageError
from longshore.image.compression import Codec, CompressionOptions, codec_for
from longshore.image.flow import Cutter
from longshore.oci.media_types import Compression

GZIP_LEVELS = [None, 0, 1, 2, 6, 9]


def _joined(codec: Codec, segments: list[bytes]) -> bytes:
    crc32 = 0
    for segment in segments:
        crc32 = codec.crc32(segment, crc32)
    packed = [bytes(codec.pack(segment)) for segment in segments]
    return codec.header + b"".join(packed) + codec.trailer(crc32, sum(map(len, segments)))


@given(st.lists(st.binary(min_size=1, max_size=5000), max_size=8), st.sampled_from(GZIP_LEVELS))
def test_joined_segments_are_one_gzip_member(segments: list[bytes], level: int | None) -> None:
    packed = _joined(codec_for(CompressionOptions(level=level)), segments)
    unpacker = zlib.decompressobj(wbits=31)
    assert unpacker.decompress(packed) == b"".join(segments)
    assert unpacker.eof
    assert unpacker.unused_data == b""


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 50))
def test_segments_do_not_depend_on_how_the_bytes_arrived(blocks: list[bytes], length: int) -> None:
    cutter, content = Cutter(length), b"".join(blocks)
    segments = [bytes(s) for block in blocks if block for s in cutter.feed(block)]
    segments += [bytes(s) for s in cutter.rest()]
    assert segments == [content[i : i + length] for i in range(0, len(content), length)]


def test_a_block_of_the_right_length_is_not_copied() -> None:
    block = bytes(range(10))
    assert Cutter(10).feed(block)[0] is block


def _crc32c(data: bytes) -> int:
    """What ISA-L looks four bytes up by (the CRC-32C of RFC 3720, without its inversions)."""
    crc = int.from_bytes(data, "little")
    for _ in range(8 * len(data)):
        crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


def _one_for_each_slot(slots: int) -> Iterator[bytes]:
    """Segments whose beginning comes again, and is looked up in another slot of the table each."""
    left = set(range(slots))
    # Shorter segments are not looked up at once, nor in a table of this size.
    rest = bytes(range(256)) * 2
    for number in count():
        start = number.to_bytes(4, "little")
        if (slot := _crc32c(start) % slots) in left:
            left.remove(slot)
            yield start + b"once" + start + b"once" + rest
        if not left:
            return


@pytest.mark.parametrize("level", [0, 1])
def test_segments_are_packed_to_the_same_bytes_wherever_in_memory_that_is_done(level: int) -> None:
    # ISA-L puts an address into a slot of its table, as the hash of the third byte.
    codec = codec_for(CompressionOptions(level=level))
    segments = list(_one_for_each_slot(8192))
    packed = [codec.pack(segment) for segment in segments]
    held: list[object] = []
    for _ in range(4):
        held += [isal_zlib.compressobj(level, isal_zlib.DEFLATED, -15, 9) for _ in range(16)]
        assert [codec.pack(segment) for segment in segments] == packed


@pytest.mark.parametrize("level", GZIP_LEVELS)
def test_gzip_itself_accepts_the_stream(level: int | None) -> None:
    codec = codec_for(CompressionOptions(level=level))
    packed = _joined(codec, [b"abc" * 100_000, b"\0" * 500_000, b"end"])
    subprocess.run(["gzip", "-t"], input=packed, check=True)
    assert gzip.decompress(packed).endswith(b"end")


def test_the_header_tells_neither_time_nor_name() -> None:
    assert codec_for(CompressionOptions()).header[3:8] == bytes(5)


_GO = """package main
import ("compress/gzip"; "crypto/sha256"; "fmt"; "io"; "os")
func main() {
    reader, err := gzip.NewReader(os.Stdin)
    if err != nil { panic(err) }
    reader.Multistream(false)
    hash := sha256.New()
    if _, err := io.Copy(hash, reader); err != nil { panic(err) }
    fmt.Printf("%x", hash.Sum(nil))
}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
def test_go_reads_the_stream_as_a_single_member(tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text(_GO)
    segments = [bytes(range(256)) * 4096, b"x" * (1 << 20), b"rest"]
    packed = _joined(codec_for(CompressionOptions()), segments)
    ran = subprocess.run(
        ["go", "run", str(tmp_path / "main.go")], input=packed, check=True, capture_output=True
    )
    assert ran.stdout.decode() == hashlib.sha256(b"".join(segments)).hexdigest()


def test_without_isal_the_standard_library_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, "isal")
    codec = codec_for(CompressionOptions())
    assert "zlib" in codec.name
    assert gzip.decompress(_joined(codec, [b"one", b"two"])) == b"onetwo"


def _hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


_ZSTD = ("compression", "compression.zstd", "backports.zstd", "zstandard")


def test_zstd_without_a_library_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, *_ZSTD)
    with pytest.raises(UsageError, match="zstd library") as caught:
        codec_for(CompressionOptions(compression=Compression.ZSTD))
    assert "backports.zstd" in (caught.value.hint or "")


def _zstd_or_skip() -> Codec:
    try:
        return codec_for(CompressionOptions(compression=Compression.ZSTD))
    except UsageError:
        pytest.skip("no zstd library is installed")


@settings(max_examples=20)
@given(st.lists(st.binary(min_size=1, max_size=5000), max_size=5))
def test_zstd_itself_accepts_the_frames(segments: list[bytes]) -> None:
    packed = _joined(_zstd_or_skip(), segments)
    if shutil.which("zstd") is None:
        pytest.skip("the program zstd is not installed")
    ran = subprocess.run(["zstd", "-d", "-c"], input=packed, check=True, capture_output=True)
    assert ran.stdout == b"".join(segments)


@pytest.mark.parametrize(
    ("compression", "level"),
    [(Compression.GZIP, 10), (Compression.GZIP, -1), (Compression.ZSTD, 0), (Compression.ZSTD, 20)],
)
def test_a_level_the_codec_lacks_is_a_usage_error(compression: Compression, level: int) -> None:
    with pytest.raises(UsageError, match="no compression level") as caught:
        codec_for(CompressionOptions(compression=compression, level=level))
    first, last = (0, 9) if compression is Compression.GZIP else (1, 19)
    assert caught.value.hint == f"use a level from {first} to {last}"


def test_none_leaves_the_tar_as_it_is() -> None:
    codec = codec_for(CompressionOptions(compression=Compression.NONE))
    assert _joined(codec, [b"one", b"two"]) == b"onetwo"


def test_names_tell_codecs_apart() -> None:
    names = {codec_for(CompressionOptions(level=level)).name for level in (0, 1, 2, 6)}
    assert len(names) == 4
