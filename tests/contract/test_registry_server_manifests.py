"""One contract for our registry and for distribution 2.8 (OCI distribution spec 1.1): manifests,
tags, the catalogue and referrers.

Where the real one deviates, the test says so beside `subject.real`.
"""

from __future__ import annotations

import json

import pytest

from longshore.oci import media_types
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import image_index, image_manifest
from longshore.oci.media_types import Compression, Format

from .conftest import Subject
from .registry_requests import code_of, push, push_image, put

pytestmark = pytest.mark.registry

ABSENT = Digest.of(b"never pushed")


@pytest.mark.parametrize("fmt", list(Format))
async def test_a_manifest_comes_back_to_the_letter_by_tag_and_digest(
    subject: Subject, repository: str, fmt: Format
) -> None:
    manifest = await push_image(subject, f"{repository}/{fmt}", "1.0", fmt)
    for reference in ("1.0", manifest.digest):
        url = f"/v2/{repository}/{fmt}/manifests/{reference}"
        headers = {"Accept": media_types.ACCEPT_MANIFESTS}
        async with subject.http.get(url, headers=headers) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == fmt.manifest_type
            assert answer.headers["Docker-Content-Digest"] == str(manifest.digest)
            assert await answer.read() == manifest.content
        async with subject.http.head(url, headers=headers) as answer:
            assert answer.status == 200
            assert answer.headers["Docker-Content-Digest"] == str(manifest.digest)
            assert answer.headers["Content-Length"] == str(len(manifest.content))


async def test_a_manifest_can_be_put_by_digest_and_only_its_own(
    subject: Subject, repository: str
) -> None:
    manifest = await push_image(subject, repository, "a", Format.OCI)
    again = image_manifest(manifest.config, [], fmt=Format.OCI)
    good = await put(subject, repository, str(again.digest), again.content, again.media_type)
    assert good.status == 201
    assert good.headers["Docker-Content-Digest"] == str(again.digest)
    bad = await put(subject, repository, str(ABSENT), again.content, again.media_type)
    assert bad.status == 400
    assert bad.code == "DIGEST_INVALID"


async def test_a_manifest_with_missing_blobs_is_refused(subject: Subject, repository: str) -> None:
    fmt = Format.DOCKER
    await push(subject, repository, b"{}")
    missing = Descriptor(media_type=fmt.layer_type(Compression.GZIP), digest=ABSENT, size=12)
    manifest = image_manifest(Descriptor.of(b"{}", fmt.config_type), [missing])
    answer = await put(subject, repository, "x", manifest.content, manifest.media_type)
    assert answer.status == 400 or (subject.real and answer.status == 404)
    assert answer.code == "MANIFEST_BLOB_UNKNOWN"
    async with subject.http.get(f"/v2/{repository}/manifests/x") as absent:
        assert absent.status == 404


async def test_an_index_needs_its_manifests(subject: Subject, repository: str) -> None:
    manifest = await push_image(subject, repository, "one", Format.OCI)
    index = image_index([manifest.descriptor])
    good = await put(subject, repository, "all", index.content, index.media_type)
    assert good.status == 201
    absent = Descriptor(media_type=media_types.OCI_MANIFEST, digest=ABSENT, size=12)
    index = image_index([manifest.descriptor, absent])
    bad = await put(subject, repository, "bad", index.content, index.media_type)
    assert bad.status == 400 or (subject.real and bad.status == 404)
    assert bad.code == "MANIFEST_BLOB_UNKNOWN"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[]", b'{"schemaVersion":7}'])
async def test_what_is_no_manifest_is_refused(
    subject: Subject, repository: str, content: bytes
) -> None:
    answer = await put(subject, repository, "x", content, media_types.OCI_MANIFEST)
    if subject.real and b"schemaVersion" in content:
        # 2.8 falls over a schema version it does not know.
        assert (answer.status, answer.code) == (500, "UNKNOWN")
        return
    assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")


async def test_a_moved_tag_points_to_the_new_manifest(subject: Subject, repository: str) -> None:
    first = await push_image(subject, repository, "v1", Format.OCI)
    second = await push_image(subject, repository, "v2", Format.OCI)
    moved = await put(subject, repository, "v1", second.content, second.media_type)
    assert moved.status == 201
    headers = {"Accept": media_types.ACCEPT_MANIFESTS}
    for reference, digest in (("v1", second.digest), (first.digest, first.digest)):
        url = f"/v2/{repository}/manifests/{reference}"
        async with subject.http.head(url, headers=headers) as answer:
            assert answer.headers["Docker-Content-Digest"] == str(digest)


async def test_a_deleted_manifest_takes_its_tags_along(subject: Subject, repository: str) -> None:
    manifest = await push_image(subject, repository, "v1", Format.OCI)
    await put(subject, repository, "latest", manifest.content, manifest.media_type)
    async with subject.http.delete(f"/v2/{repository}/manifests/{manifest.digest}") as answer:
        assert answer.status == 202
    for reference in ("v1", "latest", manifest.digest):
        async with subject.http.get(f"/v2/{repository}/manifests/{reference}") as answer:
            assert answer.status == 404
            assert await code_of(answer) == "MANIFEST_UNKNOWN"


async def test_a_deleted_tag_leaves_the_manifest(subject: Subject, repository: str) -> None:
    manifest = await push_image(subject, repository, "v1", Format.OCI)
    async with subject.http.delete(f"/v2/{repository}/manifests/v1") as answer:
        # 2.8 deletes by digest alone; the specification lets a registry do so.
        assert answer.status == (400 if subject.real else 202)
    url = f"/v2/{repository}/manifests/{manifest.digest}"
    async with subject.http.head(url, headers={"Accept": manifest.media_type}) as answer:
        assert answer.status == 200


async def test_tags_come_sorted_and_in_pages(subject: Subject, repository: str) -> None:
    manifest = await push_image(subject, repository, "b", Format.OCI)
    for tag in ("a", "d", "c"):
        await put(subject, repository, tag, manifest.content, manifest.media_type)
    url = f"/v2/{repository}/tags/list"
    async with subject.http.get(url) as answer:
        document = await answer.json()
        # 2.8 gives them in the order of its directory, and ignores n and last.
        tags = sorted(document["tags"]) if subject.real else document["tags"]
        assert (document["name"], tags) == (repository, ["a", "b", "c", "d"])
    if subject.real:
        return
    async with subject.http.get(url, params={"n": "2"}) as answer:
        assert (await answer.json())["tags"] == ["a", "b"]
        following = answer.links["next"]["url"]
    async with subject.http.get(following) as answer:
        assert (await answer.json())["tags"] == ["c", "d"]
        assert "Link" not in answer.headers
    async with subject.http.get(url, params={"n": "0"}) as answer:
        assert (await answer.json())["tags"] == []


async def test_tags_of_an_unknown_repository_are_name_unknown(
    subject: Subject, repository: str
) -> None:
    async with subject.http.get(f"/v2/{repository}/tags/list") as answer:
        assert answer.status == 404
        assert await code_of(answer) == "NAME_UNKNOWN"


async def test_the_catalogue_comes_in_pages(subject: Subject, repository: str) -> None:
    names = [f"{repository}/{part}" for part in "abc"]
    for name in names:
        await push_image(subject, name, "x", Format.OCI)
    async with subject.http.get("/v2/_catalog", params={"n": "1000"}) as answer:
        assert set(names) <= set((await answer.json())["repositories"])
    params = {"n": "2", "last": names[0]}
    async with subject.http.get("/v2/_catalog", params=params) as answer:
        assert (await answer.json())["repositories"] == names[1:]


async def test_referrers_name_what_refers_to_a_digest(subject: Subject, repository: str) -> None:
    image = await push_image(subject, repository, "v1", Format.OCI)
    document = json.loads(image_manifest(image.config, [], fmt=Format.OCI).content)
    document |= {
        "subject": image.descriptor.document(),
        "artifactType": "application/spdx+json",
        "annotations": {"what": "sbom"},
    }
    content = json.dumps(document).encode()
    digest = Digest.of(content)
    answer = await put(subject, repository, str(digest), content, media_types.OCI_MANIFEST)
    assert answer.status == 201
    if subject.real:
        # 2.8 is older than referrers: no OCI-Subject tells the client to keep a tag instead.
        assert "OCI-Subject" not in answer.headers
        return
    assert answer.headers["OCI-Subject"] == str(image.digest)
    url = f"/v2/{repository}/referrers/{image.digest}"
    async with subject.http.get(url) as listed:
        assert listed.headers["Content-Type"] == media_types.OCI_INDEX
        (entry,) = (await listed.json(content_type=None))["manifests"]
        assert entry["digest"] == str(digest)
        assert entry["artifactType"] == "application/spdx+json"
        assert entry["annotations"] == {"what": "sbom"}
    async with subject.http.get(url, params={"artifactType": "other"}) as listed:
        assert listed.headers["OCI-Filters-Applied"] == "artifactType"
        assert (await listed.json(content_type=None))["manifests"] == []
    async with subject.http.get(f"/v2/{repository}/referrers/{ABSENT}") as listed:
        assert listed.status == 200
        assert (await listed.json(content_type=None))["manifests"] == []
