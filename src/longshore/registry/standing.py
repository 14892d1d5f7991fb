"""How far the upload of a blob has come."""

from __future__ import annotations

from msgspec import Struct

from longshore.registry.transport.retry import Patience


class Standing(Struct, kw_only=True):
    """Bytes [0, `offset`) are with the registry; `patience` is told of progress.

    `broken`: something broke before, in this session or another. `refused` counts pieces in a row.
    """

    patience: Patience
    offset: int = 0
    restarts: int = 0
    refused: int = 0
    broken: bool = False
    _farthest: int = 0
    """In this session; `_most` in any."""
    _most: int = 0

    def reach(self, offset: int) -> None:
        """Bytes that a session has had before are no progress, nor is it to begin anew: a registry
        may lose the same ones for ever."""
        self.offset = offset
        if offset > self._most:
            self._most, self.refused = offset, 0
        if offset > self._farthest:
            self._farthest = offset
            self.patience.progress(restarts=self.restarts)

    def begin_anew(self) -> None:
        """In a new session, which has nothing yet."""
        self.offset = self._farthest = 0
