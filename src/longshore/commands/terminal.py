"""A container on the user's own terminal: raw mode, input, window size (spec C-11 to C-13)."""

from __future__ import annotations

import os
import signal
import stat
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from longshore.engine.port import Attachment, Engine
from longshore.errors import EngineError
from longshore.report.sink import Sink

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class TerminalReader:
    """Joins a container to our standard streams; `tty`: it has a terminal, ours becomes raw."""

    engine: Engine
    sink: Sink
    tty: bool

    async def read(self, container: str, attachment: Attachment) -> None:
        """Copy both ways until the container closes its output."""
        with raw_terminal(sys.stdin.fileno(), enabled=self.tty):
            async with anyio.create_task_group() as group:
                group.start_soon(send_input, sys.stdin.fileno(), attachment)
                if self.tty:
                    group.start_soon(self._follow_size, container)
                await self._show(attachment)
                group.cancel_scope.cancel()

    async def _show(self, attachment: Attachment) -> None:
        async for chunk in attachment:
            if chunk.stream == 2:
                self.sink.tell(chunk.data)
            else:
                self.sink.write(chunk.data)

    async def _follow_size(self, container: str) -> None:
        with anyio.open_signal_receiver(signal.SIGWINCH) as changes:
            await self._resize(container)
            async for _ in changes:
                await self._resize(container)

    async def _resize(self, container: str) -> None:
        size = os.get_terminal_size(sys.stdout.fileno())
        try:
            await self.engine.resize(container, rows=size.lines, columns=size.columns)
        except EngineError:
            return  # the container ended between the change and the call: nothing to resize


async def send_input(descriptor: int, attachment: Attachment) -> None:
    """Copy what can be read from `descriptor` to the container, then close its input."""
    regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
    while True:
        if not regular:  # epoll takes no regular files; they never block
            await anyio.wait_readable(descriptor)
        data = os.read(descriptor, _BLOCK)
        if not data:
            break
        await attachment.write(data)
    await attachment.close_input()


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
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
