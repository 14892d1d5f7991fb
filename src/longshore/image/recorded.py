"""Layers of an engine's store that are put together from a record and a directory of files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from longshore.errors import InvalidValue, NotFound
from longshore.image.compression import CompressionOptions
from longshore.image.layer import Blocks, ImageParts
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest

if TYPE_CHECKING:
    from longshore.image.packer_process import PackedApart

_NAME: Final = re.compile(r"[0-9a-z]{1,128}")
_LARGE: Final = 32 << 20
_LARGE_RECORD: Final = 128 << 10


class RecordedLayer(Struct, frozen=True, kw_only=True):
    """A `LayerSource`: `record` is the engine's tar-split metadata, `directory` has the files."""

    diff_id: Digest
    size: int | None
    record: Path
    directory: Path
    origin: str

    @property
    def packed(self) -> Descriptor | None:
        return None

    def open(self) -> Blocks:
        from longshore.image.flow import blocks_in_thread
        from longshore.image.reassembly import reassemble

        return blocks_in_thread(lambda: reassemble(self.record, self.directory))

    def packer(
        self, options: CompressionOptions
    ) -> AbstractAsyncContextManager[PackedApart] | None:
        """See `SelfPacking`: where starting a process costs less than working beside the loop."""
        if not self._is_large:
            return None
        from longshore.image.packer_process import packed_apart

        return packed_apart(self.record, self.directory, self.diff_id, options)

    @property
    def _is_large(self) -> bool:
        with reading_store():
            return (self.size or 0) > _LARGE or self.record.stat().st_size > _LARGE_RECORD


class RecordedImage(Struct, frozen=True, kw_only=True):
    """A `StoredImage` in an engine's store."""

    parts: ImageParts
    layers: tuple[RecordedLayer, ...]


@contextmanager
def reading_store() -> Iterator[None]:
    """What is not there, not for us, or not as expected becomes a NotFound in words that explain:
    there are other ways to the image."""
    try:
        yield
    except PermissionError as exc:
        raise NotFound(f"{exc.filename} may only be read by root") from exc
    except OSError as exc:
        raise NotFound(f"the engine's store has no {exc.filename}: {exc.strerror}") from exc
    except InvalidValue as exc:
        raise NotFound(f"the engine's store is not as expected: {exc.message}") from exc


def directory_name(name: str, diff: str, diff_id: Digest) -> str:
    """The name of a layer's directory, from what the store says of it (`diff`: its digest);
    InvalidValue when it is none, or the layer another one."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise InvalidValue(f'"{name[:80]}" is not the name of a layer\'s directory')
    if diff.strip() != str(diff_id):
        raise InvalidValue(f"layer {diff_id} has another digest there")
    return name
