"""A container on the user's own terminal: raw mode, input, window size (spec C-11 to C-13)."""

from __future__ import annotations

import os
import signal
import stat
import sys
import termios
import time
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import anyio
from msgspec import Struct, field

from longshore.engine.port import Attachment, Engine
from longshore.errors import EngineError
from longshore.report.sink import Sink
from longshore.run.alarm import alarm
from longshore.run.runtime import Mask

_BLOCK = 1 << 16

_CTRL_C = 0x03
_INSISTENT = 3
"""How many Ctrl-C in a row, within a second, are for us."""
_REPEAT = 0.1
"""Seconds between two of them, below which a key is held down."""

_PATIENCE = 1.0
_PATIENCE_OF_A_PERSON = 0.05
"""Seconds that output which may begin a secret is held back; in front of a prompt only shortly."""


class TerminalReader(Struct, frozen=True):
    """Joins a container to our standard streams; `tty`: it has a terminal, ours becomes raw.

    What it writes is masked as in steps, only that it is never held back for long.
    """

    engine: Engine
    sink: Sink
    tty: bool
    mask: Mask
    mask_end: Callable[[str], bytes]

    async def read(self, container: str, attachment: Attachment) -> None:
        """Copy both ways until the container closes its output."""
        with raw_terminal(sys.stdin.fileno(), enabled=self.tty):
            async with anyio.create_task_group() as group:
                if self.tty:
                    group.start_soon(self._follow_size, container)
                group.start_soon(send_input, sys.stdin.fileno(), attachment, self._typed())
                await self._show(attachment)
                group.cancel_scope.cancel()

    def _typed(self) -> Callable[[bytes], None]:
        if not self.tty:
            return lambda _: None
        return Insistence(lambda: signal.raise_signal(signal.SIGINT)).typed

    async def _show(self, attachment: Attachment) -> None:
        with alarm(_PATIENCE_OF_A_PERSON if self.tty else _PATIENCE, self._release) as bell:
            try:
                async for chunk in attachment:
                    self._write(chunk.stream, self.mask(f"terminal/{chunk.stream}", chunk.data))
                    bell.set()
            finally:
                self._release()

    def _release(self) -> None:
        for stream in 1, 2:
            self._write(stream, self.mask_end(f"terminal/{stream}"))

    def _write(self, stream: int, data: bytes) -> None:
        if stream == 2:
            self.sink.tell(data)
        else:
            self.sink.write(data)

    async def _follow_size(self, container: str) -> None:
        with anyio.open_signal_receiver(signal.SIGWINCH) as changes:
            await self._resize(container)
            async for _ in changes:
                await self._resize(container)

    async def _resize(self, container: str) -> None:
        rows, columns = terminal_size()
        try:
            await self.engine.resize(container, rows=rows, columns=columns)
        except EngineError:
            return  # the container ended between the change and the call: nothing to resize


def terminal_size() -> tuple[int, int]:
    """Rows and columns of our terminal."""
    size = os.get_terminal_size(sys.stdout.fileno())
    return size.lines, size.columns


class Insistence(Struct):
    """Ctrl-C on a raw terminal goes to the container, whose first process may ignore it: the kernel
    keeps SIGINT from it where it has no handler. Three in a row within a second are for us; a key
    that is held down, and repeats some thirty times a second, is one."""

    hear: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    _times: list[float] = field(default_factory=list)
    _latest: float = float("-inf")

    def typed(self, keys: bytes) -> None:
        """Note what was typed; `hear` is called with the third."""
        now = self.clock()
        for key in keys:
            if key != _CTRL_C:
                self._times = []
                continue
            is_held, self._latest = now - self._latest < _REPEAT, now
            if is_held:
                continue
            self._times = [*(each for each in self._times if now - each < 1.0), now]
            if len(self._times) == _INSISTENT:
                self._times = []
                self.hear()


async def send_input(
    descriptor: int, attachment: Attachment, typed: Callable[[bytes], None] = lambda _: None
) -> None:
    """Copy what can be read from `descriptor` to the container, then close its input.

    `typed` hears of it before. A container may end without having read all of it; how it ended, its
    output and its exit code tell, and so does an engine that is gone.
    """
    with suppress(EngineError):
        async for data in _read(descriptor):
            typed(data)
            await attachment.write(data)
        await attachment.close_input()


async def _read(descriptor: int) -> AsyncIterator[bytes]:
    """Blocks of a file, pipe or terminal; one that was hung up (EIO) has ended."""
    blocks = _blocks(descriptor)
    while True:
        if blocks:
            await anyio.wait_readable(descriptor)
        try:
            data = os.read(descriptor, _BLOCK)
        except OSError:
            return
        if not data:
            return
        yield data


def _blocks(descriptor: int) -> bool:
    """Files and /dev/null never do, and neither epoll nor kqueue takes them all."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


@contextmanager
def raw_terminal(descriptor: int, *, enabled: bool) -> Iterator[None]:
    """The terminal in raw mode while the block runs: every key goes to the container."""
    if not enabled:
        yield
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        with suppress(termios.error):  # of a terminal that was closed meanwhile
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class LineSink(Sink, frozen=True):
    """Our own lines beside a container's output: a raw terminal does not return at their ends."""

    def write(self, text: str | bytes) -> None:
        """See Sink."""
        super().write(_lines(text, self.out))

    def tell(self, text: str | bytes) -> None:
        """See Sink."""
        super().tell(_lines(text, self.err))


def _lines(text: str | bytes, stream: BinaryIO) -> bytes:
    data = text.encode(errors="replace") if isinstance(text, str) else text
    return data.replace(b"\n", b"\r\n") if _is_raw(stream) else data


def _is_raw(stream: BinaryIO) -> bool:
    try:
        output_flags: int = termios.tcgetattr(stream.fileno())[1]
    except (OSError, termios.error):
        return False
    return not output_flags & termios.OPOST
