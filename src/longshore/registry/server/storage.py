"""What the registry keeps, and the protocol of the places that keep it.

Everything here is synchronous: the server calls what may take long in a thread. Blobs and
manifests belong to a repository; the same content in two repositories is kept once.
"""

from __future__ import annotations

import hashlib
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import BinaryIO, Protocol

import anyio
from msgspec import Struct

from longshore.errors import ContentMismatch
from longshore.oci.digest import Digest


class StoredManifest(Struct, frozen=True, kw_only=True):
    """A manifest as it came: its bytes and the Content-Type it was sent with."""

    content: bytes
    media_type: str


class Upload(ABC):
    """One upload session: takes bytes at its end and hashes them as they come.

    `lock` is held by the request that writes, so that a client which resumes waits for the end of
    the request it gave up. A failed `write` leaves the upload as it was before.
    """

    __slots__ = ("_hash", "id", "lock", "repository", "size")

    def __init__(self, repository: str, id: str | None = None) -> None:  # noqa: A002 - its name
        self.id = id or str(uuid.uuid4())
        self.repository = repository
        self.lock = anyio.Lock()
        self.size = 0
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append; releases the interpreter's lock while it hashes. Raises OSError."""
        self._append(data)
        self._hash.update(data)
        self.size += len(data)

    def verify(self, digest: Digest) -> None:
        """Raise ContentMismatch unless what came so far has this digest."""
        actual = Digest(self._hash.hexdigest())
        if actual != digest:
            raise ContentMismatch(f"{digest} was announced, but the upload is {actual}")

    @abstractmethod
    def _append(self, data: bytes) -> None:
        """Keep all of `data`, or raise OSError and keep nothing of it."""


class Storage(Protocol):
    """A place for blobs, manifests, tags and uploads.

    Arguments are parsed: repositories, tags and digests fit their grammars, upload ids are UUIDs.
    Writing is atomic: a reader, or the next start after a crash, sees all of a thing or nothing.
    """

    def start_upload(self, repository: str) -> Upload:
        """Begin an upload."""
        ...

    def find_upload(self, repository: str, upload_id: str) -> Upload | None:
        """The unfinished upload of that repository."""
        ...

    def finish_upload(self, upload: Upload, digest: Digest) -> None:
        """Make it a blob of its repository; raises ContentMismatch. It is gone either way."""
        ...

    def cancel_upload(self, upload: Upload) -> None:
        """Forget the upload and its bytes."""
        ...

    def blob_size(self, repository: str, digest: Digest) -> int | None:
        """Length in bytes of a blob of this repository."""
        ...

    def open_blob(self, repository: str, digest: Digest) -> BinaryIO | None:
        """A seekable reader of the blob; the caller closes it."""
        ...

    def mount_blob(self, digest: Digest, *, source: str, target: str) -> bool:
        """Make a blob of one repository a blob of another too; False when `source` lacks it."""
        ...

    def delete_blob(self, repository: str, digest: Digest) -> bool:
        """Take the blob from this repository; False when it is not there."""
        ...

    def put_manifest(
        self, repository: str, manifest: StoredManifest, *, tag: str | None = None
    ) -> Digest:
        """Keep a manifest and, with `tag`, point the tag to it."""
        ...

    def manifest(self, repository: str, digest: Digest) -> StoredManifest | None:
        """A manifest of this repository."""
        ...

    def tagged(self, repository: str, tag: str) -> Digest | None:
        """What a tag points to."""
        ...

    def delete_manifest(self, repository: str, digest: Digest) -> bool:
        """Take a manifest and all tags that point to it; False when it is not there."""
        ...

    def delete_tag(self, repository: str, tag: str) -> bool:
        """Take one tag, and leave the manifest; False when it is not there."""
        ...

    def manifests(self, repository: str) -> Sequence[Digest]:
        """All manifests of a repository."""
        ...

    def tags(self, repository: str) -> Sequence[str]:
        """All tags of a repository, sorted."""
        ...

    def repositories(self) -> Sequence[str]:
        """All repositories that hold anything, sorted."""
        ...
