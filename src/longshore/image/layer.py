"""What the pusher needs of an image: its configuration, and its layers as streams.

Two kinds of image, because an engine's export cannot be read twice or out of order:

- `StoredImage`: everything is at hand; its layers can be opened at any time, several at once,
  and again after a failure.
- `ExportedImage` (`longshore.image.export`): the layers come one after the other and once;
  configuration and order are known at the end (``manifest.json`` is the last file of
  ``docker save``).

Blocks are handed over unverified; `longshore.image.pipeline.compressed` verifies while they flow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from longshore.oci.media_types import Format

if TYPE_CHECKING:
    from longshore.oci.descriptor import Descriptor
    from longshore.oci.digest import Digest

Block: TypeAlias = bytes | bytearray | memoryview
"""A piece of a stream, never empty and never changed after it was handed over."""

BLOCK: int = 1 << 21
"""Preferred length of a block of tar bytes: longer files come in pieces of this length, which
are compressed without being copied together first. Every other length is allowed."""

Blocks: TypeAlias = AbstractAsyncContextManager[AsyncIterator[Block]]
"""An opened stream; leaving the block closes it, also half-way."""


class LayerSource(Protocol):
    """A layer that can be opened.

    `open` gives the blob described by `packed` when there is one (it is compressed already, or
    stored as it will be sent), else the uncompressed tar. Whatever cannot be read raises a
    LongshoreError, during iteration as well. May be opened again and concurrently, unless it
    comes from an export.
    """

    @property
    def diff_id(self) -> Digest | None:
        """Digest of the uncompressed tar; None where only reading it can tell."""
        ...

    @property
    def size(self) -> int | None:
        """Bytes `open` will give, as far as known: exact for `packed`, else an estimate."""
        ...

    @property
    def origin(self) -> str:
        """Where it comes from, for explanations: "overlay2", "image export", …"""
        ...

    @property
    def packed(self) -> Descriptor | None:
        """Digest, size and media type of the blob that `open` gives; None for a bare tar."""
        ...

    def open(self) -> Blocks:
        """The layer's bytes, in order."""
        ...


class ImageParts(Struct, frozen=True, kw_only=True):
    """What a manifest is made of, besides the layers' own descriptors.

    `config` are the exact bytes the engine keeps: their digest is the image id. `diff_ids` from
    the base up, as the configuration lists them (a layer may occur twice).
    """

    config: bytes
    config_digest: Digest
    diff_ids: tuple[Digest, ...]
    format: Format = Format.DOCKER


class StoredImage(Protocol):
    """An image whose layers can be opened in any order."""

    @property
    def parts(self) -> ImageParts:
        """Configuration and order."""
        ...

    @property
    def layers(self) -> tuple[LayerSource, ...]:
        """One source for each of `parts.diff_ids`, in that order."""
        ...
