"""Storage in a directory, kept over restarts.

::

    content/sha256/ab/abcd…            blobs and manifests, each once, named by their digest
    repositories/NAME/_blobs/abcd…     empty: this repository holds that blob
    repositories/NAME/_manifests/abcd… the manifest's media type
    repositories/NAME/_tags/TAG        the digest the tag points to
    uploads/UUID                       bytes of an unfinished upload
    uploads/UUID.repository            the repository it belongs to
    staging/                           files on their way to their place

No part of a repository's name begins with an underscore, so names never meet ours. Files get to
their place by rename. Content that no repository holds any more stays until the directory is
removed: a deleted blob costs disk space, as in the real registry before its garbage collection.
Uploads are given up at the first start after a week without a byte: an engine whose push is
stopped leaves them behind.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from longshore.oci.digest import Digest
from longshore.registry.server.storage import StoredManifest, Upload

_READ = 1 << 20
_STAGED = "[0-9a-f]" * 32
"""Names of files in staging: random UUIDs."""
_RESUMABLE = 7 * 24 * 3600
"""Seconds for which an upload waits for its next byte; so long does distribution keep them too."""


class DiskUpload(Upload):
    """An upload in a file; holds no open file, so that a forgotten one costs only disk space."""

    __slots__ = ("path",)

    def __init__(self, repository: str, path: Path) -> None:
        super().__init__(repository, path.name)
        self.path = path

    def rehash(self) -> None:
        """Take up what an earlier process received."""
        with self.path.open("rb") as file:
            while data := file.read(_READ):
                self._hash.update(data)
                self.size += len(data)

    def _append(self, data: bytes) -> None:
        # Not "ab": that would bring back the file of an upload given up meanwhile.
        with self.path.open("r+b", buffering=0) as file:
            file.seek(self.size)
            try:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
            except OSError:
                os.ftruncate(file.fileno(), self.size)
                raise


class DiskStorage:
    """A `Storage` below `root`; make it with `open`."""

    def __init__(self, root: Path) -> None:
        self._content = root / "content" / Digest.algorithm
        self._repositories = root / "repositories"
        self._uploading = root / "uploads"
        self._staging = root / "staging"
        self._uploads: dict[str, DiskUpload] = {}

    @classmethod
    def open(cls, root: Path) -> DiskStorage:
        """The storage in that directory, made if need be; raises OSError."""
        storage = cls(root)
        for folder in (
            storage._content,
            storage._repositories,
            storage._uploading,
            storage._staging,
        ):
            folder.mkdir(parents=True, exist_ok=True)
        # By our names alone: the directory may be a project's, with a staging of its own.
        for left in storage._staging.glob(_STAGED):
            left.unlink()
        storage._give_up_old_uploads()
        return storage

    # uploads

    def start_upload(self, repository: str) -> Upload:
        upload = DiskUpload(repository, self._uploading / str(uuid.uuid4()))
        try:
            # Its owner first: whatever ends us in between, an upload that is there has one.
            self._owner(upload.path).write_text(repository)
            upload.path.touch()
        except OSError:
            self.cancel_upload(upload)
            raise
        self._uploads[upload.id] = upload
        return upload

    def find_upload(self, repository: str, upload_id: str) -> Upload | None:
        upload = self._uploads.get(upload_id) or self._left_behind(upload_id)
        return upload if upload and upload.repository == repository else None

    def finish_upload(self, upload: Upload, digest: Digest) -> None:
        mine = self._uploads[upload.id]
        try:
            mine.verify(digest)
            self._keep(mine.path, digest)
            self._write(self._blob(mine.repository, digest), b"")
        finally:
            self.cancel_upload(mine)

    def cancel_upload(self, upload: Upload) -> None:
        self._remove(self._uploading / upload.id)
        self._uploads.pop(upload.id, None)

    def _give_up_old_uploads(self) -> None:
        oldest = time.time() - _RESUMABLE
        for owner in self._uploading.glob("*-*-*-*-*.repository"):
            upload = owner.with_suffix("")
            last = upload if upload.exists() else owner
            if last.stat().st_mtime < oldest:
                self._remove(upload)

    def _remove(self, upload: Path) -> None:
        upload.unlink(missing_ok=True)
        self._owner(upload).unlink(missing_ok=True)

    def _left_behind(self, upload_id: str) -> DiskUpload | None:
        path = self._uploading / upload_id
        if not path.is_file():
            return None
        upload = DiskUpload(self._owner(path).read_text(), path)
        upload.rehash()
        return self._uploads.setdefault(upload_id, upload)

    def _owner(self, upload: Path) -> Path:
        return upload.with_name(f"{upload.name}.repository")

    # blobs

    def blob_size(self, repository: str, digest: Digest) -> int | None:
        held = self._blob(repository, digest).exists()
        return self._place(digest).stat().st_size if held else None

    def open_blob(self, repository: str, digest: Digest) -> BinaryIO | None:
        held = self._blob(repository, digest).exists()
        return self._place(digest).open("rb", buffering=0) if held else None

    def mount_blob(self, digest: Digest, *, source: str, target: str) -> bool:
        if not self._blob(source, digest).exists():
            return False
        self._write(self._blob(target, digest), b"")
        return True

    def delete_blob(self, repository: str, digest: Digest) -> bool:
        return _unlink(self._blob(repository, digest))

    # manifests and tags

    def put_manifest(
        self, repository: str, manifest: StoredManifest, *, tag: str | None = None
    ) -> Digest:
        digest = Digest.of(manifest.content)
        self._write(self._place(digest), manifest.content)
        self._write(self._manifest(repository, digest), manifest.media_type.encode())
        if tag is not None:
            self._write(self._tag(repository, tag), str(digest).encode())
        return digest

    def manifest(self, repository: str, digest: Digest) -> StoredManifest | None:
        media_type = _read(self._manifest(repository, digest))
        if media_type is None:
            return None
        return StoredManifest(
            content=self._place(digest).read_bytes(), media_type=media_type.decode()
        )

    def tagged(self, repository: str, tag: str) -> Digest | None:
        digest = _read(self._tag(repository, tag))
        return None if digest is None else Digest.parse(digest.decode())

    def delete_manifest(self, repository: str, digest: Digest) -> bool:
        for tag in self.tags(repository):
            if self.tagged(repository, tag) == digest:
                self.delete_tag(repository, tag)
        return _unlink(self._manifest(repository, digest))

    def delete_tag(self, repository: str, tag: str) -> bool:
        return _unlink(self._tag(repository, tag))

    def manifests(self, repository: str) -> Sequence[Digest]:
        return [Digest(name) for name in _names(self._repositories / repository / "_manifests")]

    def tags(self, repository: str) -> Sequence[str]:
        return _names(self._repositories / repository / "_tags")

    def repositories(self) -> Sequence[str]:
        return sorted(self._holding())

    def _holding(self) -> Iterator[str]:
        for folder, folders, _ in os.walk(self._repositories):
            path = Path(folder)
            if any(_names(path / part) for part in ("_blobs", "_manifests") if part in folders):
                yield path.relative_to(self._repositories).as_posix()
            folders[:] = [name for name in folders if not name.startswith("_")]

    # places

    def _place(self, digest: Digest) -> Path:
        return self._content / digest.hex[:2] / digest.hex

    def _blob(self, repository: str, digest: Digest) -> Path:
        return self._repositories / repository / "_blobs" / digest.hex

    def _manifest(self, repository: str, digest: Digest) -> Path:
        return self._repositories / repository / "_manifests" / digest.hex

    def _tag(self, repository: str, tag: str) -> Path:
        return self._repositories / repository / "_tags" / tag

    def _keep(self, source: Path, digest: Digest) -> None:
        place = self._place(digest)
        place.parent.mkdir(exist_ok=True)
        source.replace(place)

    def _write(self, place: Path, content: bytes) -> None:
        staged = self._staging / uuid.uuid4().hex
        try:
            staged.write_bytes(content)
            place.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(place)
        except OSError:
            staged.unlink(missing_ok=True)
            raise


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []
