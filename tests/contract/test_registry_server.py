"""One contract for our registry and for distribution 2.8 (OCI distribution spec 1.1).

Where the real one deviates, the test says so beside `subject.real`.
"""

from __future__ import annotations

import anyio
import pytest
from yarl import URL

from longshore.oci.digest import Digest

from .conftest import Subject
from .registry_requests import begin, code_of, push

pytestmark = pytest.mark.registry

ABSENT = Digest.of(b"never pushed")


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
