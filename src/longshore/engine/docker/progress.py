"""Condenses the messages of pulls and pushes to a line per change of status (P-22); pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from longshore.engine.docker.errors import reading

_PUSHED: Final = re.compile(r"(?:\S+: )?digest: (sha256:[0-9a-f]{64}) size: \d+")
"""The end of a push; with the containerd store there is no ``aux`` message beside it."""


class Progress:
    """Remembers each layer's last status, to tell a change from a further percent."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        self.digest: str | None = None
        self.error: str | None = None

    def line(self, message: Mapping[str, Any]) -> str | None:
        """The line for a message, or None when it says nothing new."""
        with reading("a transfer"):
            self.error = self.error or error_in(message)
            aux = message.get("aux")
            if isinstance(aux, dict) and "Digest" in aux:
                self.digest = str(aux["Digest"])
            status = str(message.get("status") or "").strip()
            if match := _PUSHED.fullmatch(status):
                self.digest = self.digest or match[1]
            return self._changed(str(message.get("id") or ""), status)

    def _changed(self, layer: str, status: str) -> str | None:
        if not status or (layer and self._last.get(layer) == status):
            return None
        self._last[layer] = status
        return f"{layer}: {status}" if layer else status


def error_in(message: Mapping[str, Any]) -> str | None:
    """The error of a message, if it is one."""
    detail = message.get("errorDetail")
    if isinstance(detail, dict) and detail.get("message"):
        return str(detail["message"])
    error = message.get("error")
    return str(error) if error else None
