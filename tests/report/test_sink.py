"""Text reaches its stream, however slowly that is read."""

from __future__ import annotations

import os
import threading
import time

import pytest

from longshore.report.sink import Sink


@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_stream_that_does_not_block_gets_everything_and_in_order(buffering: int) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    text = b"".join(b"%07d\n" % number for number in range(100_000))
    read: list[bytes] = []

    def reader() -> None:
        while block := os.read(reading, 4096):
            read.append(block)

    thread = threading.Thread(target=reader)
    with os.fdopen(writing, "wb", buffering) as stream:
        sink = Sink(stream, stream)
        threading.Timer(0.05, thread.start).start()
        sink.write(text)
        sink.write(text)
        sink.tell("the end\n")
    thread.join(20)
    os.close(reading)
    assert b"".join(read) == text + text + b"the end\n"


def test_whoever_reads_nothing_is_waited_for_no_longer_when_there_is_a_hurry() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(writing, "wb", 0) as stream:
        sink = Sink(stream, stream)
        threading.Timer(0.3, sink.patience.hurry).start()
        sink.write(b"x" * 1_000_000)
        began = time.monotonic()
        sink.write(b"y")
        assert time.monotonic() - began < 1
    with os.fdopen(reading, "rb") as rest:
        assert set(rest.read()) == set(b"x")


def test_in_a_hurry_too_a_slow_reader_gets_everything() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    text = bytes(1_000_000)
    read: list[int] = []

    def reader() -> None:
        while block := os.read(reading, 4096):
            read.append(len(block))

    with os.fdopen(writing, "wb", 0) as stream:
        sink = Sink(stream, stream)
        sink.patience.hurry()
        thread = threading.Timer(0.3, reader)
        thread.start()
        sink.write(text)
    thread.join(20)
    os.close(reading)
    assert sum(read) == len(text)
