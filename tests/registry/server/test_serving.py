"""The registry on a port: who may reach it, and how it treats large bodies."""

from __future__ import annotations

import hashlib
import io
import resource
from collections.abc import AsyncIterator
from unittest.mock import AsyncMock

import aiohttp
import pytest
from aiohttp.abc import AbstractStreamWriter
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from longshore.errors import UsageError
from longshore.oci import media_types
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import image_manifest
from longshore.registry.server.exchange import BlobAnswer
from longshore.registry.server.memory import MemoryStorage
from longshore.registry.server.serving import serve
from longshore.registry.server.storage import StoredManifest

MEGABYTE = 1 << 20


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
async def test_it_refuses_to_answer_strangers(host: str) -> None:
    with pytest.raises(UsageError, match="anybody") as caught:
        async with serve(MemoryStorage(), host=host):
            pass
    assert caught.value.hint


async def test_it_answers_strangers_when_that_is_allowed() -> None:
    async with serve(MemoryStorage(), host="0.0.0.0", allow_remote=True) as running:
        assert running.host.startswith("0.0.0.0:")


async def test_a_reader_who_goes_away_leaves_no_file_open() -> None:
    gone = AsyncMock(spec=AbstractStreamWriter)
    gone.write.side_effect = ConnectionResetError
    file = io.BytesIO(bytes(10))
    answer = BlobAnswer(file, 0, 10, status=200)
    await answer.prepare(make_mocked_request("GET", "/", writer=gone))
    with pytest.raises(ConnectionResetError):
        await answer.write_eof()
    assert file.closed


async def test_a_port_in_use_is_told_as_such() -> None:
    async with serve(MemoryStorage()) as running:
        port = int(running.host.rpartition(":")[2])
        with pytest.raises(UsageError) as caught:
            async with serve(MemoryStorage(), port=port):
                pass
    assert caught.value.message == (
        f"the registry cannot listen on 127.0.0.1 port {port}: Address already in use"
    )
    assert caught.value.hint == "take another port, or 0 for any free one"


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
async def test_an_address_of_another_machine_is_told_as_such(host: str) -> None:
    with pytest.raises(UsageError) as caught:
        async with serve(MemoryStorage(), host=host, allow_remote=True):
            pass
    assert caught.value.message == (
        f"the registry cannot listen on {host}: it is no address of this machine"
    )
    assert caught.value.hint == "take 127.0.0.1, or 0.0.0.0 for all addresses of this machine"


async def test_a_large_blob_flows_through_without_filling_memory() -> None:
    piece, count = b"0123456789abcdef" * (MEGABYTE // 16), 400
    digest = hashlib.sha256(piece * count).hexdigest()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield piece

    # Both ends share this process: its own peak bounds theirs.
    async with serve(MemoryStorage()) as running, aiohttp.ClientSession(running.url) as http:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        params = {"digest": f"sha256:{digest}"}
        async with http.post("/v2/big/blobs/uploads/", params=params, data=pieces()) as answer:
            assert answer.status == 201
        received = 0
        async with http.get(f"/v2/big/blobs/sha256:{digest}") as answer:
            async for data in answer.content.iter_any():
                received += len(data)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert received == count * MEGABYTE
    assert grown < 64 * 1024


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("PATCH", "/v2/a/blobs/uploads/..%2f..%2fetc", {}, 404, "UNSUPPORTED"),
        ("PATCH", "/v2/a/blobs/uploads/x.repository", {}, 404, "BLOB_UPLOAD_UNKNOWN"),
        ("GET", "/v2/a/manifests/.hidden", {}, 400, "TAG_INVALID"),
        ("GET", "/v2/a/manifests/sha256:zz", {}, 400, "DIGEST_INVALID"),
        ("GET", "/v2/_blobs/manifests/v1", {}, 400, "NAME_INVALID"),
        ("GET", f"/v2/{'a' * 256}/tags/list", {}, 400, "NAME_INVALID"),
        ("GET", "/v2/_catalog?n=-1", {}, 400, "PAGINATION_NUMBER_INVALID"),
        ("GET", "/v2/_catalog?n=%C2%B2", {}, 400, "PAGINATION_NUMBER_INVALID"),
        ("GET", "/v2/nothing", {}, 404, "UNSUPPORTED"),
        ("OPTIONS", "/v2/", {}, 405, "UNSUPPORTED"),
    ],
)
async def test_nonsense_gets_the_specifications_errors(
    method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    async with serve(MemoryStorage()) as running, aiohttp.ClientSession() as http:
        url = URL(running.url + path, encoded=True)
        async with http.request(method, url, headers=headers) as answer:
            assert answer.status == status
            assert (await answer.json())["errors"][0]["code"] == code


async def begin(http: aiohttp.ClientSession) -> str:
    async with http.post("/v2/a/blobs/uploads/") as answer:
        return answer.headers["Location"]


@pytest.mark.parametrize(
    ("told", "body", "status", "code"),
    [
        ("0-9", b"12345", 400, "SIZE_INVALID"),
        ("5-0", b"12345", 400, "BLOB_UPLOAD_INVALID"),
        ("nonsense", b"12345", 400, "BLOB_UPLOAD_INVALID"),
        ("1-5", b"12345", 416, "RANGE_INVALID"),
    ],
)
async def test_a_content_range_has_to_be_true(
    told: str, body: bytes, status: int, code: str
) -> None:
    async with serve(MemoryStorage()) as running, aiohttp.ClientSession(running.url) as http:
        where = await begin(http)
        async with http.patch(where, data=body, headers={"Content-Range": told}) as answer:
            assert answer.status == status
            assert (await answer.json())["errors"][0]["code"] == code


async def test_a_manifest_with_a_false_size_is_refused() -> None:
    async with serve(MemoryStorage()) as running, aiohttp.ClientSession(running.url) as http:
        digest = Digest.of(b"{}")
        params = {"digest": str(digest)}
        async with http.post("/v2/a/blobs/uploads/", params=params, data=b"{}") as answer:
            assert answer.status == 201
        wrong = Descriptor(media_type=media_types.DOCKER_CONFIG, digest=digest, size=3)
        manifest = image_manifest(wrong, [])
        async with http.put("/v2/a/manifests/x", data=manifest.content) as answer:
            assert answer.status == 400


async def test_what_accept_leaves_out_is_not_given() -> None:
    storage = MemoryStorage()
    stored = StoredManifest(content=b"{}", media_type=media_types.OCI_MANIFEST)
    storage.put_manifest("a", stored, tag="v1")
    async with serve(storage) as running, aiohttp.ClientSession(running.url) as http:
        wanted = {media_types.DOCKER_MANIFEST: 404, "*/*": 200, media_types.ACCEPT_MANIFESTS: 200}
        for accept, status in wanted.items():
            async with http.get("/v2/a/manifests/v1", headers={"Accept": accept}) as answer:
                assert answer.status == status
