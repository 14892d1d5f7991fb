"""Reading files of a layer's directory by names that come from an image and are not trusted."""

from __future__ import annotations

import errno
import os
import stat
from types import TracebackType
from typing import Final, Self

from longshore.errors import ContentMismatch, LongshoreError, NotFound
from longshore.image.names import parts, shown

_DIRECTORY: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KEPT_OPEN: Final = 64


class LayerTree:
    """A directory below which files are opened, and never elsewhere; blocking, for one thread.

    No symlink is followed at any place of a name, ``..`` never leaves the directory, and only
    regular files are opened: a layer may hold a device node or a fifo where its tar had a file.
    What this user may not read raises NotFound, whatever else is not as it should be
    ContentMismatch.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._root = os.open(directory, _DIRECTORY)
        self._open: dict[bytes, int] = {b"": self._root}
        self._regular: dict[bytes, set[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open = {}

    def open(self, name: bytes) -> int:
        """A descriptor of the regular file `name`; the caller closes it."""
        try:
            return self._file(name)
        except OSError as exc:
            raise unreadable(name, exc) from exc

    def _file(self, name: bytes) -> int:
        directory, _, base = name.rpartition(b"/")
        parent = self._open.get(directory)
        if parent is None:
            parent = self._directory(directory)
        # Looked at before it is opened: opening some devices does something.
        if base not in self._regular_files(directory, parent):
            _check_regular(base, parent)
        return os.open(base, _FILE, dir_fd=parent)

    def _regular_files(self, directory: bytes, descriptor: int) -> set[bytes]:
        """Told by one listing instead of a question for each: a tenth of reading small files."""
        found = self._regular.get(directory)
        if found is None:
            # By its link in /proc: only a path of bytes is listed as bytes.
            with os.scandir(b"/proc/self/fd/%d" % descriptor) as entries:
                found = {one.name for one in entries if one.is_file(follow_symlinks=False)}
            self._regular[directory] = found
        return found

    def _directory(self, name: bytes) -> int:
        if len(self._open) >= _KEPT_OPEN:
            self._forget()
        current = os.dup(self._root)
        try:
            for part in parts(name):
                below = os.open(part, _DIRECTORY, dir_fd=current)
                os.close(current)
                current = below
        except OSError:
            os.close(current)
            raise
        self._open[name] = current
        return current

    def _forget(self) -> None:
        root = self._open.pop(b"")
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open = {b"": root}
        self._regular = {}


def _check_regular(base: bytes, parent: int) -> None:
    if not stat.S_ISREG(os.stat(base, dir_fd=parent, follow_symlinks=False).st_mode):
        raise OSError("it is no regular file")


def unreadable(name: bytes, reason: OSError) -> LongshoreError:
    """The error for a file that should be in the layer and cannot be read.

    NotFound where it is only not for us: rootless engines keep files of other users' ids.
    """
    if reason.errno in (errno.EACCES, errno.EPERM):
        return NotFound(f'file "{shown(name)}" of the layer may not be read by this user')
    return _damaged(name, f"cannot be read from the engine's store: {reason.strerror or reason}")


def too_short(name: bytes) -> ContentMismatch:
    """The error for a file that ends before the length it had in the tar."""
    return _damaged(name, "is shorter in the engine's store than it was in the image")


def _damaged(name: bytes, what: str) -> ContentMismatch:
    return ContentMismatch(
        f'file "{shown(name)}" of the layer {what}',
        hint="the store was changed behind the engine's back; build or pull the image again",
    )
