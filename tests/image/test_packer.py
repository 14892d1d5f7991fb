"""What packing in a process of its own takes: memory and threads, on any machine."""

from __future__ import annotations

import os
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Self

import anyio
import anyio.lowlevel
import pytest

from longshore.image.compression import CompressionOptions
from longshore.image.packer import pack
from longshore.image.packer_process import packed_apart
from longshore.oci.digest import Digest
from longshore.testing.engine_script import FakeImage
from longshore.testing.overlay2_store import write_store

MIB = 1 << 20


class _Late:
    """A future whose work is done when somebody waits for it."""

    def __init__(self, work: Callable[..., None], *arguments: object) -> None:
        self._todo: list[Callable[[], None]] = [lambda: work(*arguments)]

    def done(self) -> bool:
        return not self._todo

    def result(self) -> None:
        while self._todo:
            self._todo.pop()()


class Unhurried:
    """Threads that the machine has no time for until somebody waits for them."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, work: Callable[..., None], *arguments: object) -> _Late:
        """See `concurrent.futures.Executor`."""
        return _Late(work, *arguments)


def test_a_helper_that_gets_no_processor_does_not_have_a_layer_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = FakeImage(layers=({"noise": Random(1).randbytes(96 * MIB)},))
    write_store(tmp_path, image.config, image.layer_tars)
    [record] = tmp_path.rglob("tar-split.json.gz")
    [directory] = tmp_path.glob("overlay2/*/diff")
    monkeypatch.setattr("longshore.image.packer.ThreadPoolExecutor", Unhurried)
    tracemalloc.start()
    try:
        size = sum(len(content) for _, content in pack(str(record), str(directory), _options(1)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 96 * MIB
    assert peak < 32 * MIB


@pytest.mark.parametrize("left", [0, 1])
def test_where_a_limit_leaves_no_threads_a_layer_is_packed_with_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    image = FakeImage(layers=({"noise": Random(1).randbytes(20 * MIB)},))
    write_store(tmp_path, image.config, image.layer_tars)
    [record] = tmp_path.rglob("tar-split.json.gz")
    [directory] = tmp_path.glob("overlay2/*/diff")
    words = (str(record), str(directory), _options(3))
    usual = b"".join(bytes(content) for _, content in pack(*words))
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if threading.active_count() > before + left - 1:
            raise RuntimeError("can't start new thread")
        start(thread)

    before = threading.active_count()
    monkeypatch.setattr(threading.Thread, "start", limited)
    assert b"".join(bytes(content) for _, content in pack(*words)) == usual


def _options(threads: int) -> CompressionOptions:
    return CompressionOptions(threads=threads)


@pytest.mark.parametrize(("cores", "first"), [(1, 1), (2, 2), (64, 3)])
async def test_of_layers_side_by_side_the_first_has_the_most_helpers_and_all_have_six_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, first: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    record = tmp_path / "record"
    os.mkfifo(record)  # a process that waits for it cannot end before it is looked at
    async with AsyncExitStack() as stack:
        for _ in range(4):
            layer = packed_apart(record, tmp_path, Digest.of(b""), CompressionOptions())
            await stack.enter_async_context(layer)
        assert sorted(await _helpers_of_children()) == [1, 1, 1, first]
    async with packed_apart(record, tmp_path, Digest.of(b""), CompressionOptions()):
        assert await _helpers_of_children() == [first]


async def _helpers_of_children() -> list[int]:
    """The last word of the command line of every packing process."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        for child in (thread / "children").read_text().split():
            command = Path(f"/proc/{child}/cmdline")
            with anyio.fail_after(10):
                # The kernel tells it a moment after exec has succeeded.
                while not (line := command.read_bytes()):
                    await anyio.lowlevel.checkpoint()
            words = line.split(b"\0")
            if b"longshore.image.packer" in words:
                found.append(int(words[-2]))
    return found
