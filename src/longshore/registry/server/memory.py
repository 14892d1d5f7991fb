"""Storage in memory: gone with the process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import BinaryIO

from msgspec import Struct, field

from longshore.oci.digest import Digest
from longshore.registry.server.buffer import Buffer
from longshore.registry.server.storage import StoredManifest, Upload


class MemoryUpload(Upload):
    """An upload in a growing buffer."""

    __slots__ = ("buffer",)

    def __init__(self, repository: str) -> None:
        super().__init__(repository)
        self.buffer = Buffer()

    def _append(self, data: bytes) -> None:
        self.buffer.append(data)


class _Repository(Struct):
    blobs: set[Digest] = field(default_factory=set)
    manifests: dict[Digest, StoredManifest] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.blobs or self.manifests)


class MemoryStorage:
    """A `Storage` made of dictionaries."""

    def __init__(self) -> None:
        self._content: dict[Digest, Buffer] = {}
        self._repositories: defaultdict[str, _Repository] = defaultdict(_Repository)
        self._uploads: dict[str, MemoryUpload] = {}

    def start_upload(self, repository: str) -> Upload:
        upload = MemoryUpload(repository)
        self._uploads[upload.id] = upload
        return upload

    def find_upload(self, repository: str, upload_id: str) -> Upload | None:
        upload = self._uploads.get(upload_id)
        return upload if upload and upload.repository == repository else None

    def finish_upload(self, upload: Upload, digest: Digest) -> None:
        mine = self._uploads.pop(upload.id)
        mine.verify(digest)
        self._content.setdefault(digest, mine.buffer)
        self._repositories[mine.repository].blobs.add(digest)

    def cancel_upload(self, upload: Upload) -> None:
        self._uploads.pop(upload.id, None)

    def blob_size(self, repository: str, digest: Digest) -> int | None:
        return self._content[digest].size if self._holds(repository, digest) else None

    def open_blob(self, repository: str, digest: Digest) -> BinaryIO | None:
        return self._content[digest].open() if self._holds(repository, digest) else None

    def mount_blob(self, digest: Digest, *, source: str, target: str) -> bool:
        if not self._holds(source, digest):
            return False
        self._repositories[target].blobs.add(digest)
        return True

    def delete_blob(self, repository: str, digest: Digest) -> bool:
        if not self._holds(repository, digest):
            return False
        self._repositories[repository].blobs.remove(digest)
        if not any(digest in other.blobs for other in self._repositories.values()):
            del self._content[digest]
        return True

    def put_manifest(
        self, repository: str, manifest: StoredManifest, *, tag: str | None = None
    ) -> Digest:
        digest = Digest.of(manifest.content)
        self._repositories[repository].manifests[digest] = manifest
        if tag is not None:
            self._repositories[repository].tags[tag] = digest
        return digest

    def manifest(self, repository: str, digest: Digest) -> StoredManifest | None:
        return self._known(repository).manifests.get(digest)

    def tagged(self, repository: str, tag: str) -> Digest | None:
        return self._known(repository).tags.get(tag)

    def delete_manifest(self, repository: str, digest: Digest) -> bool:
        known = self._known(repository)
        known.tags = {tag: target for tag, target in known.tags.items() if target != digest}
        return known.manifests.pop(digest, None) is not None

    def delete_tag(self, repository: str, tag: str) -> bool:
        return self._known(repository).tags.pop(tag, None) is not None

    def manifests(self, repository: str) -> Sequence[Digest]:
        return tuple(self._known(repository).manifests)

    def tags(self, repository: str) -> Sequence[str]:
        return sorted(self._known(repository).tags)

    def repositories(self) -> Sequence[str]:
        return sorted(name for name, held in self._repositories.items() if held)

    def _known(self, repository: str) -> _Repository:
        # Asking must not create: the name would stay in the dictionary.
        return self._repositories.get(repository) or _Repository()

    def _holds(self, repository: str, digest: Digest) -> bool:
        return digest in self._known(repository).blobs
