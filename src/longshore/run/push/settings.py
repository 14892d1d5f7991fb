"""How images are pushed, as the user asked for it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field

from longshore.image.compression import CompressionOptions
from longshore.oci.media_types import Compression, Format
from longshore.registry.limits import Limits


class PusherChoice(StrEnum):
    """``--pusher``: by estimate, always our own, or always the engine's push."""

    AUTO = "auto"
    OWN = "own"
    ENGINE = "engine"


class PushSettings(Struct, frozen=True, kw_only=True):
    """The same for all pushes of a command. `repack`: the compression was asked for by name, so
    layers that came packed otherwise are packed anew. `explain`: tell why layers are read where
    they are read."""

    compression: CompressionOptions = field(default_factory=CompressionOptions)
    repack: bool = False
    format: Format | None = None
    verify: bool = False
    limits: Limits = field(default_factory=Limits)
    pusher: PusherChoice = PusherChoice.AUTO
    metadata_file: Path | None = None
    explain: bool = False

    def fits_the_engine(self, packed_store: bool) -> bool:
        """Whether the engine's own push could do what was asked; `packed_store`: the engine keeps
        layers packed, and pushes them so."""
        plain = self.compression.compression is Compression.GZIP and self.compression.level is None
        as_it_is = self.format is None and not (self.repack and packed_store)
        return self.pusher is PusherChoice.AUTO and plain and as_it_is
