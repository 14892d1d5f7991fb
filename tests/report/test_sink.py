"""Text reaches its stream, however slowly that is read."""

from __future__ import annotations

import os
import threading

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
