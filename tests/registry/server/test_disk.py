"""What the disk keeps: over restarts, over failures, and against hostile names."""

from __future__ import annotations

import errno
import os
import resource
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from longshore.errors import ContentMismatch
from longshore.oci import media_types
from longshore.oci.digest import Digest
from longshore.registry.server.disk import DiskStorage
from longshore.registry.server.storage import StoredManifest

MANIFEST = StoredManifest(content=b"{}", media_type=media_types.OCI_MANIFEST)


def blob(storage: DiskStorage, repository: str, content: bytes) -> Digest:
    upload = storage.start_upload(repository)
    upload.write(content)
    storage.finish_upload(upload, Digest.of(content))
    return Digest.of(content)


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def age(root: Path, *, days: float) -> None:
    """As if nothing below `root` had been written for so long."""
    for path in files(root):
        os.utime(root / path, (0, time.time() - days * 24 * 3600))


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """A limit on file sizes: the full disk that a test can have without one. The body meets it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_restart_keeps_blobs_manifests_and_tags(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    digest = blob(storage, "team/app", b"content")
    manifest = storage.put_manifest("team/app", MANIFEST, tag="v1")
    again = DiskStorage.open(tmp_path)
    file = again.open_blob("team/app", digest)
    assert file is not None
    with file:
        assert file.read() == b"content"
    assert again.tagged("team/app", "v1") == manifest
    assert again.manifest("team/app", manifest) == MANIFEST
    assert again.repositories() == ["team/app"]


def test_a_restart_keeps_an_unfinished_upload_with_its_hash(tmp_path: Path) -> None:
    upload = DiskStorage.open(tmp_path).start_upload("app")
    upload.write(b"first ")
    storage = DiskStorage.open(tmp_path)
    resumed = storage.find_upload("app", upload.id)
    assert resumed is not None
    assert resumed.size == 6
    resumed.write(b"second")
    storage.finish_upload(resumed, Digest.of(b"first second"))
    assert storage.blob_size("app", Digest.of(b"first second")) == 12


def test_the_start_removes_what_a_killed_registry_staged_and_no_file_of_anybody_else(
    tmp_path: Path,
) -> None:
    staging = tmp_path / "staging"
    (staging / "site").mkdir(parents=True)
    (staging / "values.yml").write_text("a file of the project that --dir names")
    (staging / uuid.uuid4().hex).write_text("half a man")
    DiskStorage.open(tmp_path)
    assert {path.name for path in staging.iterdir()} == {"site", "values.yml"}


def test_the_start_gives_up_uploads_that_got_nothing_for_a_week(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    given_up, slow = storage.start_upload("app"), storage.start_upload("app")
    of_the_project = tmp_path / "uploads" / "team.repository"
    of_the_project.touch()
    age(tmp_path, days=8)
    slow.write(b"the next byte")
    again = DiskStorage.open(tmp_path)
    assert again.find_upload("app", given_up.id) is None
    assert again.find_upload("app", slow.id) is not None
    of_the_project.unlink()
    assert files(tmp_path) == {f"uploads/{slow.id}", f"uploads/{slow.id}.repository"}


def test_an_upload_waits_six_days_for_its_next_byte(tmp_path: Path) -> None:
    upload = DiskStorage.open(tmp_path).start_upload("app")
    age(tmp_path, days=6)
    assert DiskStorage.open(tmp_path).find_upload("app", upload.id) is not None


def test_a_registry_killed_as_an_upload_began_starts_again_and_gives_it_up(tmp_path: Path) -> None:
    upload = DiskStorage.open(tmp_path).start_upload("app")
    (tmp_path / "uploads" / upload.id).unlink()
    assert DiskStorage.open(tmp_path).find_upload("app", upload.id) is None
    age(tmp_path, days=8)
    DiskStorage.open(tmp_path)
    assert files(tmp_path) == set()


def test_bytes_that_come_after_an_upload_was_cancelled_do_not_bring_it_back(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    upload = storage.start_upload("app")
    storage.cancel_upload(upload)
    with pytest.raises(FileNotFoundError):
        upload.write(b"late")
    assert files(tmp_path) == set()


def test_an_upload_belongs_to_its_repository(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    upload = storage.start_upload("mine")
    assert storage.find_upload("yours", upload.id) is None
    assert DiskStorage.open(tmp_path).find_upload("yours", upload.id) is None


def test_a_refused_upload_leaves_no_file(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    upload = storage.start_upload("app")
    upload.write(b"something")
    with pytest.raises(ContentMismatch, match="was announced"):
        storage.finish_upload(upload, Digest.of(b"else"))
    assert files(tmp_path) == set()


def test_the_same_content_in_two_repositories_is_kept_once(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    digest = blob(storage, "one", b"shared")
    blob(storage, "two", b"shared")
    assert storage.mount_blob(digest, source="one", target="three")
    assert len([name for name in files(tmp_path) if name.startswith("content/")]) == 1
    assert storage.delete_blob("one", digest)
    assert storage.blob_size("three", digest) == 6


def test_a_repository_below_another_is_another(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    storage.put_manifest("app", MANIFEST, tag="v1")
    storage.put_manifest("app/tags", MANIFEST, tag="v2")
    assert storage.repositories() == ["app", "app/tags"]
    assert storage.tags("app") == ["v1"]


def test_a_full_disk_leaves_the_upload_as_it_was(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    upload = storage.start_upload("app")
    upload.write(b"x" * 1000)
    with full_at(5000):
        upload.write(b"y" * 10_000)
    assert (tmp_path / "uploads" / upload.id).read_bytes() == b"x" * 1000
    upload.write(b"z")
    storage.finish_upload(upload, Digest.of(b"x" * 1000 + b"z"))


def test_a_full_disk_keeps_nothing_of_an_upload_that_could_not_begin(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    with full_at(0):
        storage.start_upload("app")
    assert files(tmp_path) == set()


def test_a_full_disk_keeps_nothing_of_a_manifest(tmp_path: Path) -> None:
    storage = DiskStorage.open(tmp_path)
    large = StoredManifest(content=b" " * 10_000, media_type=media_types.OCI_MANIFEST)
    with full_at(5000):
        storage.put_manifest("app", large, tag="v1")
    assert files(tmp_path) == set()
