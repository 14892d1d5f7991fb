"""Where an engine listens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files for a TLS endpoint; `verify` False accepts any server certificate."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An engine's address (``unix://``, ``tcp://``, ``ssh://``) and who named it, for messages."""

    url: str
    origin: str
    tls: TlsFiles | None = None
