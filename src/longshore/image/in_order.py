"""Work that has to be done in order, in threads that have something else to do in between."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class InOrder(Generic[Item]):
    """Does `work` on one item at a time, in the order of `add`, once an item is `ready`.

    Nobody waits: whoever comes by does what is ready, unless another thread is at it, who will see
    to it as well. So whoever makes an item ready has to come by afterwards. `add` is for one
    thread, `come_by` for all; `work` must not raise.
    """

    __slots__ = ("_items", "_ready", "_turn", "_work")

    def __init__(self, work: Callable[[Item], None], ready: Callable[[Item], bool]) -> None:
        self._work = work
        self._ready = ready
        self._items: deque[Item] = deque()
        self._turn = threading.Lock()

    def add(self, item: Item) -> None:
        """The next item."""
        self._items.append(item)

    def come_by(self) -> None:
        """Do all that is ready, or leave it to who is doing it."""
        # Looked at again after the turn: what became ready in its last moment was left to it.
        while self._first_is_ready() and self._turn.acquire(blocking=False):
            try:
                while self._first_is_ready():
                    # In this order: the work may be the last to hold a large item.
                    self._work(self._items[0])
                    self._items.popleft()
            finally:
                self._turn.release()

    def _first_is_ready(self) -> bool:
        try:
            return self._ready(self._items[0])
        except IndexError:
            return False
