"""Uploads that nobody asked for: a registry that does not mount a blob begins one instead (202)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.registry.side_by_side import side_by_side

if TYPE_CHECKING:
    from longshore.registry.line import Call
    from longshore.registry.upload_session import UploadSession

_AT_ONCE: Final = 8
_FAREWELL: Final = 0.5
"""Seconds for the end of all that were left over; after a Ctrl-C uploads have had two before."""


class SpareSessions(Struct):
    """They are as good as any other for the next blob of their repository."""

    _of: dict[str, list[UploadSession]] = field(default_factory=dict)

    def keep(self, session: UploadSession) -> None:
        """Have it for whoever sends a blob there next."""
        self._of.setdefault(session.call.repository, []).append(session)

    def take(self, call: Call, what: str) -> UploadSession | None:
        """The youngest for `what`, a blob of the call's repository; None when there is none."""
        left = self._of.get(call.repository)
        return replace(left.pop(), call=call, what=what) if left else None

    async def end(self) -> None:
        """DELETE those that were not needed, also while we are being cancelled."""
        left = [session for sessions in self._of.values() for session in sessions]
        self._of.clear()
        with anyio.move_on_after(_FAREWELL, shield=True):
            await side_by_side(lambda session: session.cancel(), left, at_once=_AT_ONCE)
