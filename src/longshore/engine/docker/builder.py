"""Which builder makes images."""

from __future__ import annotations

from enum import StrEnum


class Builder(StrEnum):
    """AUTO: buildx where it is installed and the engine has BuildKit, else the engine's own
    builder (CLASSIC): Docker's classic one, or Podman's."""

    AUTO = "auto"
    BUILDX = "buildx"
    CLASSIC = "classic"
