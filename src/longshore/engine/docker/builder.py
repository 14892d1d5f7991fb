"""Which builder makes images."""

from __future__ import annotations

from enum import StrEnum


class Builder(StrEnum):
    """AUTO: buildx where it is installed, else the classic builder."""

    AUTO = "auto"
    BUILDX = "buildx"
    CLASSIC = "classic"
