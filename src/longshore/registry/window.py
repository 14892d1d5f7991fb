"""The latest bytes of a blob on its way, kept in memory to send them again."""

from __future__ import annotations

from collections import deque

from longshore.registry.transport.exchange import Buffer


class Window:
    """Holds the bytes [`start`, `end`) of a blob in the pieces they came in; nothing is copied."""

    __slots__ = ("_pieces", "end", "start")

    def __init__(self) -> None:
        self._pieces: deque[Buffer] = deque()
        self.start = 0
        self.end = 0

    def append(self, piece: Buffer) -> None:
        """Take the next bytes of the blob; the caller never changes them again."""
        self._pieces.append(piece)
        self.end += len(piece)

    def holds(self, offset: int) -> bool:
        """Whether sending could go on at `offset`."""
        return self.start <= offset <= self.end

    def drop_before(self, offset: int) -> None:
        """Forget pieces that end at or before `offset`."""
        while self._pieces and self.start + len(self._pieces[0]) <= offset:
            self.start += len(self._pieces.popleft())

    def keep(self, capacity: int) -> None:
        """Forget the oldest pieces, as long as `capacity` bytes remain."""
        while self._pieces and self.end - self.start - len(self._pieces[0]) >= capacity:
            self.start += len(self._pieces.popleft())

    def pieces(self, offset: int, length: int) -> tuple[Buffer, ...]:
        """At most `length` bytes from `offset` on, as views where a piece is cut."""
        found: list[Buffer] = []
        position = self.start
        for piece in self._pieces:
            first = max(offset - position, 0)
            last = min(offset + length - position, len(piece))
            if first < last:
                whole = last - first == len(piece)
                found.append(piece if whole else memoryview(piece)[first:last])
            position += len(piece)
            if position >= offset + length:
                break
        return tuple(found)
