"""Where an image is that the user names: in the engine, in an OCI layout, in an archive file."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from longshore.errors import InvalidValue, NotFound
from longshore.oci.reference import ImageReference

if TYPE_CHECKING:
    from longshore.image.files import FileImage

LAYOUT: Final = "oci:"
ARCHIVE: Final = "docker-archive:"
_PATHS: Final = ("/", "./", "../", "~/")


class FilePlace(Struct, frozen=True, kw_only=True):
    """An OCI layout (a directory) or a docker archive (a file), and which image of it."""

    path: Path
    layout: bool
    name: str | None = None

    def open(self) -> FileImage:
        """The image; blocking. Raises InvalidValue or NotFound."""
        if not self.layout:
            from longshore.image.archive import open_archive

            return open_archive(self.path, self.name)
        from platform import machine

        from longshore.image.oci_layout import open_oci_layout
        from longshore.oci.platform import Platform

        return open_oci_layout(self.path, Platform.of_machine(machine()), self.name)


def find_place(text: str) -> FilePlace | ImageReference:
    """What the user means: a text with one of the prefixes or that begins as a path does is a
    file, everything else an image of the engine.

    Raises InvalidValue for what is no image name and for a path that may not be looked at or is
    a pipe or a device, NotFound for one that is not there.
    """
    for prefix in (LAYOUT, ARCHIVE):
        if text.startswith(prefix):
            path, name = _split(text.removeprefix(prefix))
            return FilePlace(path=path, layout=prefix == LAYOUT, name=name)
    if not text.startswith(_PATHS):
        return ImageReference.parse(text).with_default_tag()
    path, name = _split(text)
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        return FilePlace(path=path, layout=True, name=name)
    if stat.S_ISREG(mode):
        return FilePlace(path=path, layout=False, name=name)
    if mode:
        from longshore.image.archive import no_file

        raise no_file(path)
    raise NotFound(f"there is no file {path}", hint="an image of the engine is named without path")


def names_file(text: str) -> bool:
    """Whether there is a file of that name, or an OCI layout; false also where we may not look."""
    path, _ = _split(text)
    return any(map(os.path.isfile, (path, path / "index.json")))


def _split(text: str) -> tuple[Path, str | None]:
    """Path and name; a colon that belongs to an existing path separates nothing."""
    whole = _path(text)
    path, colon, name = text.partition(":")
    if os.path.exists(whole) or not colon:  # noqa: PTH110  # false also where we may not look
        return whole, None
    return _path(path), name or None


def _path(text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111  # leaves users it does not know as is


def _mode(path: Path) -> int:
    """0 for what is not there."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise InvalidValue(f"cannot read {path}: {error.strerror}") from error
