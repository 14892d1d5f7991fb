"""A container's output on its way into the event stream: masked, cut into lines, never late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct, field

from longshore.engine.port import Attachment
from longshore.engine.spec import OutputChunk
from longshore.run.alarm import alarm
from longshore.run.events import ContainerOutput
from longshore.run.lines import LineBuffer
from longshore.run.runtime import Runtime, StepLabel

PATIENCE = 1.0
"""Seconds of silence after which an unfinished line is shown (spec C-28)."""

_TAIL = 20


class OutputReader(Protocol):
    """Reads a container's output from its start to its end."""

    async def read(self, container: str, attachment: Attachment) -> None:
        """Return when the container has closed its output."""
        ...


class Tail(Struct):
    """The last lines a service wrote, for explaining what became of it."""

    blocks: deque[bytes] = field(default_factory=lambda: deque(maxlen=_TAIL))

    def add(self, block: bytes) -> None:
        """Remember a block of lines."""
        self.blocks.append(block[-4096:])

    def lines(self, count: int = 5) -> list[str]:
        """The last `count` lines."""
        text = b"".join(self.blocks).decode(errors="replace")
        return text.splitlines()[-count:]


class Pump(Struct):
    """Moves one container's output to the event stream; `spoke` is called for every block."""

    runtime: Runtime
    label: StepLabel
    service: str
    spoke: Callable[[], None] = lambda: None
    dependency: bool = False
    tail: Tail = field(default_factory=Tail)
    _buffers: dict[int, LineBuffer] = field(default_factory=dict)

    async def read(self, container: str, attachment: Attachment) -> None:
        """Until the container closes its output."""
        with alarm(PATIENCE, self._flush) as bell:
            try:
                async for chunk in attachment:
                    self._feed(chunk)
                    bell.clear()
                    if any(buffer.holds for buffer in self._buffers.values()):
                        bell.set()
            finally:
                self._finish()

    def _flush(self) -> None:
        for buffer in self._buffers.values():
            self._emit(buffer.flush())

    def _feed(self, chunk: OutputChunk) -> None:
        self.spoke()
        masked = self.runtime.mask(self._stream(chunk.stream), chunk.data)
        buffer = self._buffers.setdefault(chunk.stream, LineBuffer())
        self._emit(buffer.feed(masked))

    def _finish(self) -> None:
        for stream, buffer in self._buffers.items():
            rest = buffer.feed(self.runtime.mask_end(self._stream(stream)))
            self._emit(rest + buffer.flush())

    def _stream(self, stream: int) -> str:
        return f"{self.label.path}/{self.service}/{stream}"

    def _emit(self, lines: bytes) -> None:
        if not lines:
            return
        self.tail.add(lines)
        self.runtime.emit(
            ContainerOutput(
                step=self.label.path,
                name=self.label.name,
                service=self.service,
                data=lines,
                dependency=self.dependency,
            )
        )
