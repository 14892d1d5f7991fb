"""Connections that are kept for the next request, and hosts that close them without a word."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

_ENOUGH: Final = 2


class _Host(Struct):
    """`deaths` of kept connections in a row; `well`: a new one has got an answer since the last."""

    deaths: int = 0
    well: bool = False


class KeptConnections(Struct):
    """Whether those to a host are to be relied on.

    A proxy may close each one after its answer, and not say so (``Connection: close``): then every
    other request goes down with one, however often it is tried. A host that is begun anew closes
    all at once, which counts once.
    """

    _hosts: dict[str, _Host] = field(default_factory=dict)

    def may_be_kept(self, host: str) -> bool:
        """Whether one may serve for another request."""
        return self._of(host).deaths < _ENOUGH

    def answered(self, host: str, *, kept: bool) -> None:
        """An answer came; `kept`: by a connection that had brought one before."""
        if kept:
            self._of(host).deaths = 0
        self._of(host).well = True

    def died(self, host: str, *, kept: bool) -> None:
        """The connection broke instead."""
        record = self._of(host)
        record.deaths += kept and record.well
        record.well = False

    def _of(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host())
