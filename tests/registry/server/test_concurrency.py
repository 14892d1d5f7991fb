"""Many clients at once: sessions do not mix, and one session has one writer."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import anyio
import pytest

from longshore.oci.digest import Digest
from longshore.registry.server.disk import DiskStorage
from longshore.registry.server.memory import MemoryStorage
from longshore.registry.server.serving import serve
from longshore.registry.server.storage import Storage


@pytest.fixture(params=["memory", "disk"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Both kinds."""
    return MemoryStorage() if request.param == "memory" else DiskStorage.open(tmp_path)


async def push(http: aiohttp.ClientSession, repository: str, content: bytes) -> None:
    async with http.post(f"/v2/{repository}/blobs/uploads/") as answer:
        where = answer.headers["Location"]
    for start in range(0, len(content), 300_000):
        async with http.patch(where, data=content[start : start + 300_000]) as answer:
            assert answer.status == 202
    async with http.put(where, params={"digest": str(Digest.of(content))}) as answer:
        assert answer.status == 201


async def test_fifty_uploads_at_once_do_not_mix(storage: Storage) -> None:
    contents = [bytes([n]) * (100_000 + 17_000 * n) for n in range(50)]
    async with (
        serve(storage) as running,
        aiohttp.ClientSession(running.url) as http,
        anyio.create_task_group() as tasks,
    ):
        for number, content in enumerate(contents):
            tasks.start_soon(push, http, f"r{number % 3}", content)
    for number, content in enumerate(contents):
        file = storage.open_blob(f"r{number % 3}", Digest.of(content))
        assert file is not None
        with file:
            assert file.read() == content


async def test_the_same_blob_pushed_at_once_by_many_is_one(storage: Storage) -> None:
    content = b"same" * 100_000
    async with (
        serve(storage) as running,
        aiohttp.ClientSession(running.url) as http,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(20):
            tasks.start_soon(push, http, "app", content)
    assert storage.blob_size("app", Digest.of(content)) == len(content)


async def test_two_writers_of_one_session_take_turns(storage: Storage) -> None:
    written: dict[int, bytes] = {}

    async def write(http: aiohttp.ClientSession, where: str, letter: bytes) -> None:
        headers = {"Content-Range": "0-999999"}
        async with http.patch(where, data=letter * 1_000_000, headers=headers) as answer:
            written[answer.status] = letter

    async with serve(storage) as running, aiohttp.ClientSession(running.url) as http:
        async with http.post("/v2/app/blobs/uploads/") as answer:
            where = answer.headers["Location"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write, http, where, b"a")
            tasks.start_soon(write, http, where, b"b")
    assert set(written) == {202, 416}
    # Whichever was first, the session holds one whole chunk and no mixture.
    session = storage.find_upload("app", where.rpartition("/")[2])
    assert session is not None
    assert session.size == 1_000_000
    session.verify(Digest.of(written[202] * 1_000_000))
