"""One contract for our registry and for distribution 2.8 (OCI distribution spec 1.1).

Where the real one deviates, the test says so beside `subject.real`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import anyio
import pytest
from yarl import URL

from longshore.oci import media_types
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_index, image_manifest
from longshore.oci.media_types import Compression, Format

pytestmark = pytest.mark.registry

ABSENT = Digest.of(b"never pushed")


class Subject(Protocol):
    """What the fixture of the same name gives."""

    http: aiohttp.ClientSession

    @property
    def real(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """How a manifest was taken; `code` is the error code if it was not."""

    status: int
    headers: Mapping[str, str]
    code: str | None


async def push(subject: Subject, repository: str, content: bytes) -> Digest:
    digest = Digest.of(content)
    where = await begin(subject, repository)
    async with subject.http.put(where, params={"digest": str(digest)}, data=content) as answer:
        assert answer.status == 201
    return digest


async def begin(subject: Subject, repository: str) -> str:
    async with subject.http.post(f"/v2/{repository}/blobs/uploads/") as answer:
        assert answer.status == 202
        assert answer.headers["Docker-Upload-UUID"]
        return answer.headers["Location"]


async def push_image(subject: Subject, repository: str, tag: str, fmt: Format) -> Manifest:
    config, layer = b'{"os":"linux"}', f"layer of {tag}".encode()
    await push(subject, repository, config)
    await push(subject, repository, layer)
    manifest = image_manifest(
        Descriptor.of(config, fmt.config_type),
        [Descriptor.of(layer, fmt.layer_type(Compression.GZIP))],
        fmt=fmt,
    )
    answer = await put(subject, repository, tag, manifest.content, manifest.media_type)
    assert answer.status == 201, answer.code
    return manifest


async def put(
    subject: Subject, repository: str, reference: str, content: bytes, media_type: str
) -> Put:
    async with subject.http.put(
        f"/v2/{repository}/manifests/{reference}",
        data=content,
        headers={"Content-Type": media_type},
    ) as answer:
        code = None if answer.status == 201 else await code_of(answer)
        return Put(status=answer.status, headers=answer.headers, code=code)


async def code_of(answer: aiohttp.ClientResponse) -> str:
    document: dict[str, Any] = json.loads(await answer.read())
    code: str = document["errors"][0]["code"]
    return code


async def test_the_base_answers_and_names_its_version(subject: Subject) -> None:
    async with subject.http.get("/v2/") as answer:
        assert answer.status == 200
        assert answer.headers["Docker-Distribution-API-Version"] == "registry/2.0"


async def test_a_blob_pushed_in_two_requests_comes_back(subject: Subject, repository: str) -> None:
    content = b"some content" * 1000
    digest = await push(subject, repository, content)
    async with subject.http.get(f"/v2/{repository}/blobs/{digest}") as answer:
        assert answer.status == 200
        assert answer.headers["Docker-Content-Digest"] == str(digest)
        assert await answer.read() == content


async def test_a_blob_pushed_in_one_request_comes_back(subject: Subject, repository: str) -> None:
    digest = Digest.of(b"whole")
    async with subject.http.post(
        f"/v2/{repository}/blobs/uploads/", params={"digest": str(digest)}, data=b"whole"
    ) as answer:
        # 2.8 does not know this way and begins a session, which the specification allows.
        assert answer.status == (202 if subject.real else 201)
        assert answer.headers["Location"]
    async with subject.http.head(f"/v2/{repository}/blobs/{digest}") as answer:
        assert answer.status == (404 if subject.real else 200)


async def test_the_empty_blob_can_be_pushed(subject: Subject, repository: str) -> None:
    digest = await push(subject, repository, b"")
    async with subject.http.head(f"/v2/{repository}/blobs/{digest}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Length"] == "0"


async def test_head_tells_the_length_without_a_body(subject: Subject, repository: str) -> None:
    digest = await push(subject, repository, b"x" * 12345)
    async with subject.http.head(f"/v2/{repository}/blobs/{digest}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Length"] == "12345"
        assert await answer.read() == b""


@pytest.mark.parametrize(
    ("wanted", "stretch", "told"),
    [
        ("bytes=2-5", b"2345", "bytes 2-5/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
    ],
)
async def test_a_stretch_of_a_blob_is_given(
    subject: Subject, repository: str, wanted: str, stretch: bytes, told: str
) -> None:
    digest = await push(subject, repository, b"0123456789")
    url = f"/v2/{repository}/blobs/{digest}"
    async with subject.http.get(url, headers={"Range": wanted}) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == told
        assert await answer.read() == stretch


async def test_a_range_outside_the_blob_is_416(subject: Subject, repository: str) -> None:
    digest = await push(subject, repository, b"0123456789")
    url = f"/v2/{repository}/blobs/{digest}"
    async with subject.http.get(url, headers={"Range": "bytes=10-"}) as answer:
        assert answer.status == 416


async def test_an_absent_blob_is_blob_unknown(subject: Subject, repository: str) -> None:
    await push(subject, repository, b"another")
    async with subject.http.get(f"/v2/{repository}/blobs/{ABSENT}") as answer:
        assert answer.status == 404
        assert await code_of(answer) == "BLOB_UNKNOWN"


async def test_a_blob_belongs_to_its_repository(subject: Subject, repository: str) -> None:
    digest = await push(subject, repository, b"mine alone")
    async with subject.http.head(f"/v2/{repository}/other/blobs/{digest}") as answer:
        assert answer.status == 404


async def test_a_deleted_blob_is_gone(subject: Subject, repository: str) -> None:
    digest = await push(subject, repository, b"to be deleted")
    async with subject.http.delete(f"/v2/{repository}/blobs/{digest}") as answer:
        assert answer.status == 202
    async with subject.http.head(f"/v2/{repository}/blobs/{digest}") as answer:
        assert answer.status == 404
    async with subject.http.delete(f"/v2/{repository}/blobs/{digest}") as answer:
        assert answer.status == 404


async def test_content_of_another_digest_is_refused_and_not_kept(
    subject: Subject, repository: str
) -> None:
    where = await begin(subject, repository)
    async with subject.http.put(where, params={"digest": str(ABSENT)}, data=b"else") as answer:
        assert answer.status == 400
        assert await code_of(answer) == "DIGEST_INVALID"
    for digest in (ABSENT, Digest.of(b"else")):
        async with subject.http.head(f"/v2/{repository}/blobs/{digest}") as answer:
            assert answer.status == 404


@pytest.mark.parametrize("text", ["", "sha256:12", "md5:abc", "sha256:" + "G" * 64])
async def test_what_is_no_digest_is_refused(subject: Subject, repository: str, text: str) -> None:
    where = await begin(subject, repository)
    async with subject.http.put(where, params={"digest": text}, data=b"else") as answer:
        assert answer.status == 400
        assert await code_of(answer) == "DIGEST_INVALID"


async def chunk(subject: Subject, where: str, content: bytes, start: int) -> tuple[int, str, str]:
    headers = {
        "Content-Range": f"{start}-{start + len(content) - 1}",
        "Content-Type": "application/octet-stream",
    }
    async with subject.http.patch(where, data=content, headers=headers) as answer:
        return answer.status, answer.headers.get("Location", ""), answer.headers.get("Range", "")


async def test_chunks_make_a_blob_and_status_tells_how_far(
    subject: Subject, repository: str
) -> None:
    where = await begin(subject, repository)
    status, where, reach = await chunk(subject, where, b"01234", 0)
    assert (status, reach) == (202, "0-4")
    async with subject.http.get(where) as answer:
        assert answer.status == 204
        assert answer.headers["Range"] == "0-4"
        where = answer.headers["Location"]
    status, where, reach = await chunk(subject, where, b"567", 5)
    assert (status, reach) == (202, "0-7")
    digest = Digest.of(b"0123456789")
    async with subject.http.put(where, params={"digest": str(digest)}, data=b"89") as answer:
        assert answer.status == 201
        assert answer.headers["Docker-Content-Digest"] == str(digest)
        assert answer.headers["Location"].endswith(f"/v2/{repository}/blobs/{digest}")
    async with subject.http.get(f"/v2/{repository}/blobs/{digest}") as answer:
        assert await answer.read() == b"0123456789"


@pytest.mark.parametrize("start", [0, 4, 6, 1000])
async def test_a_chunk_out_of_order_is_416_and_tells_how_far(
    subject: Subject, repository: str, start: int
) -> None:
    _, where, _ = await chunk(subject, await begin(subject, repository), b"01234", 0)
    status, after, reach = await chunk(subject, where, b"xyz", start)
    if subject.real:
        # 2.8 appends every chunk without a look at Content-Range.
        assert status == 202
        return
    assert (status, reach) == (416, "0-4")
    status, _, reach = await chunk(subject, after, b"56", 5)
    assert (status, reach) == (202, "0-6")


async def test_a_given_up_upload_is_forgotten(subject: Subject, repository: str) -> None:
    where = await begin(subject, repository)
    async with subject.http.delete(where) as answer:
        assert answer.status == 204
    async with subject.http.get(where) as answer:
        assert answer.status == 404
        assert await code_of(answer) == "BLOB_UPLOAD_UNKNOWN"
    async with subject.http.patch(where, data=b"x") as answer:
        assert answer.status == 404
        assert await code_of(answer) == "BLOB_UPLOAD_UNKNOWN"


async def test_a_finished_upload_is_no_session_any_more(subject: Subject, repository: str) -> None:
    where = await begin(subject, repository)
    params = {"digest": str(Digest.of(b"x"))}
    async with subject.http.put(where, params=params, data=b"x") as answer:
        assert answer.status == 201
    async with subject.http.put(where, params=params, data=b"x") as answer:
        assert answer.status == 404
        assert await code_of(answer) == "BLOB_UPLOAD_UNKNOWN"


async def test_a_blob_is_mounted_from_a_sibling(subject: Subject, repository: str) -> None:
    digest = await push(subject, f"{repository}/base", b"shared layer")
    async with subject.http.post(
        f"/v2/{repository}/app/blobs/uploads/",
        params={"mount": str(digest), "from": f"{repository}/base"},
    ) as answer:
        assert answer.status == 201
        assert answer.headers["Docker-Content-Digest"] == str(digest)
    async with subject.http.get(f"/v2/{repository}/app/blobs/{digest}") as answer:
        assert await answer.read() == b"shared layer"


async def test_what_cannot_be_mounted_becomes_an_upload(subject: Subject, repository: str) -> None:
    async with subject.http.post(
        f"/v2/{repository}/blobs/uploads/",
        params={"mount": str(ABSENT), "from": f"{repository}/base"},
    ) as answer:
        assert answer.status == 202
        where = answer.headers["Location"]
    digest = Digest.of(b"sent after all")
    async with subject.http.put(
        where, params={"digest": str(digest)}, data=b"sent after all"
    ) as answer:
        assert answer.status == 201


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


@pytest.mark.parametrize("name", ["UPPER", "a..b", "-a", "a/_b", "a/%2e%2e/b", "%2e%2e/%2e%2e/etc"])
async def test_a_bad_name_is_refused(subject: Subject, name: str) -> None:
    base = (await subject.http.get("/v2/")).url
    url = URL(f"{base}{name}/blobs/uploads/", encoded=True)
    async with subject.http.post(url, allow_redirects=False) as answer:
        assert answer.status in ({301, 400, 404} if subject.real else {400, 404})


async def test_a_wrong_method_is_405(subject: Subject, repository: str) -> None:
    async with subject.http.post(f"/v2/{repository}/tags/list") as answer:
        assert answer.status == 405
        assert "GET" in answer.headers["Allow"]


async def test_a_stalled_chunk_is_kept_and_the_next_client_goes_on(
    subject: Subject, repository: str
) -> None:
    where = await begin(subject, repository)
    url = (await subject.http.get("/v2/")).url.join(URL(where, encoded=True))
    # A client that announces ten bytes, sends five, and dies.
    async with await anyio.connect_tcp(str(url.host), int(url.port or 0)) as dying:
        head = f"PATCH {url.raw_path_qs} HTTP/1.1\r\nHost: {url.authority}\r\n"
        await dying.send(f"{head}Content-Length: 10\r\n\r\n01234".encode())
        if not subject.real:
            await until_status(subject, where, (204, "0-4"))
    if subject.real:
        # 2.8 keeps the bytes, but its Location carries the old length: the session is unusable.
        await until_status(subject, where, (404, ""))
        async with subject.http.patch(where, data=b"56789") as answer:
            assert answer.status == 404
            assert await code_of(answer) == "BLOB_UPLOAD_INVALID"
        return
    status, where, reach = await chunk(subject, where, b"56789", 5)
    assert (status, reach) == (202, "0-9")
    digest = Digest.of(b"0123456789")
    async with subject.http.put(where, params={"digest": str(digest)}) as answer:
        assert answer.status == 201


async def until_status(subject: Subject, where: str, wanted: tuple[int, str]) -> None:
    for _ in range(2000):
        async with subject.http.get(where) as answer:
            if (answer.status, answer.headers.get("Range", "")) == wanted:
                return
    pytest.fail(f"the upload never answered {wanted}")
