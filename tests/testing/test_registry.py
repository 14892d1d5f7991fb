"""The registry with faults: each fault is what it says, seen by a plain HTTP client."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
import trustme

from longshore.oci.digest import Digest
from longshore.registry.server.memory import MemoryStorage
from longshore.registry.server.refusals import Code
from longshore.registry.server.routes import Kind, Route
from longshore.testing.faults import (
    DISK_FULL,
    FORBIDDEN,
    TOO_MANY,
    Answer,
    AnswerEarly,
    BodyLimit,
    Corrupt,
    Drip,
    Late,
    LocationElsewhere,
    LoseUpload,
    Plan,
    Redirect,
    ResetRequest,
    ResetResponse,
    Rule,
    Script,
    Truncate,
    WrongDigest,
    on,
    read_only,
    seeded_faults,
)
from longshore.testing.registry import FaultyRegistry, faulty_registry

CONTENT = b"0123456789" * 1000
DIGEST = Digest.of(CONTENT)
BLOB = f"/v2/app/blobs/{DIGEST}"
UPLOADS = "/v2/app/blobs/uploads/"


async def begin(http: aiohttp.ClientSession) -> str:
    async with http.post(UPLOADS) as answer:
        assert answer.status == 202
        return answer.headers["Location"]


async def push(http: aiohttp.ClientSession, content: bytes = CONTENT) -> int:
    params = {"digest": str(Digest.of(content))}
    async with http.post(UPLOADS, params=params, data=content) as answer:
        return answer.status


def holding() -> MemoryStorage:
    storage = MemoryStorage()
    upload = storage.start_upload("app")
    upload.write(CONTENT)
    storage.finish_upload(upload, DIGEST)
    return storage


async def test_a_reset_request_keeps_what_came_and_can_be_resumed() -> None:
    plan = Script([on("PATCH upload", ResetRequest(after=4321))])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        where = await begin(http)
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.patch(where, data=CONTENT)
        async with http.get(where) as answer:
            assert answer.headers["Range"] == "0-4320"
        params = {"digest": str(DIGEST)}
        async with http.put(where, params=params, data=CONTENT[4321:]) as answer:
            assert answer.status == 201
        (broken,) = registry.requests("PATCH")
        assert (broken.received, broken.status) == (4321, None)
        assert broken.fault == ResetRequest(after=4321)


async def test_a_request_can_be_reset_before_its_body() -> None:
    plan = Script([on("POST uploads", ResetRequest())])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        with pytest.raises(aiohttp.ClientConnectionError):
            await push(http)
        assert registry.storage.repositories() == []
        assert await push(http) == 201


async def test_an_answer_can_be_lost_although_the_request_took_effect() -> None:
    plan = Script([on("POST uploads", ResetResponse())])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        with pytest.raises(aiohttp.ClientConnectionError):
            await push(http)
        assert registry.storage.blob_size("app", DIGEST) == len(CONTENT)


async def read_into(received: bytearray, http: aiohttp.ClientSession) -> None:
    async with http.get(BLOB) as answer:
        assert answer.headers["Content-Length"] == str(len(CONTENT))
        async for data in answer.content.iter_any():
            received += data


@pytest.mark.parametrize("fault", [ResetResponse(after=100), Truncate(after=100)])
async def test_an_answer_can_break_off(fault: ResetResponse | Truncate) -> None:
    plan = Script([on("GET blob", fault)])
    async with (
        faulty_registry(plan=plan, storage=holding()) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        received = bytearray()
        with pytest.raises(aiohttp.ClientError):
            await read_into(received, http)
        assert CONTENT.startswith(received)
        assert len(received) <= 100
        async with http.get(BLOB) as answer:
            assert await answer.read() == CONTENT


@pytest.mark.parametrize("retry_after", [None, "7", "Wed, 21 Oct 2015 07:28:00 GMT"])
async def test_too_many_requests_with_and_without_retry_after(retry_after: str | None) -> None:
    fault = Answer(status=429, code=Code.TOOMANYREQUESTS, retry_after=retry_after)
    plan = Script([on("POST uploads", fault)])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        async with http.post(UPLOADS, data=CONTENT) as answer:
            assert answer.status == 429
            assert answer.headers.get("Retry-After") == retry_after
            assert (await answer.json())["errors"][0]["code"] == "TOOMANYREQUESTS"
        assert await push(http) == 201


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_failing_proxy_answers_in_html(status: int) -> None:
    plan = Script([on("* *", Answer(status=status), times=None)])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
        http.get("/v2/") as answer,
    ):
        assert (answer.status, answer.content_type) == (status, "text/html")


async def test_an_early_answer_comes_while_the_body_is_still_sent() -> None:
    plan = Script([on("POST uploads", AnswerEarly(answer=TOO_MANY))])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        assert await push(http) == 429
        assert registry.requests("POST")[0].received == 0


async def test_a_body_limit_refuses_large_bodies_alone() -> None:
    plan = Script([on("POST,PATCH,PUT *", BodyLimit(limit=5000), times=None)])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        assert await push(http) == 413
        assert await push(http, b"small") == 201


async def test_a_body_limit_refuses_bodies_of_unannounced_length_too() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(CONTENT), 1000):
            yield CONTENT[start : start + 1000]

    plan = Script([on("PATCH upload", BodyLimit(limit=5000))])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
        http.patch(await begin(http), data=pieces()) as answer,
    ):
        assert answer.status == 413


async def test_a_lost_session_is_lost_for_good() -> None:
    plan = Script([on("PATCH upload", LoseUpload(), first=2)])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        where = await begin(http)
        for method, status in (("PATCH", 202), ("PATCH", 404), ("PATCH", 404), ("PUT", 404)):
            async with http.request(method, where, data=b"x") as answer:
                assert answer.status == status
        assert (await begin(http)) != where


async def test_the_digest_in_an_answer_can_be_wrong() -> None:
    plan = Script([on("POST uploads", WrongDigest())])
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
        http.post(UPLOADS, params={"digest": str(DIGEST)}, data=CONTENT) as answer,
    ):
        assert answer.headers["Docker-Content-Digest"] == f"sha256:{'0' * 64}"


async def test_one_bit_of_an_answer_can_be_changed() -> None:
    plan = Script([on("GET blob", Corrupt())])
    async with (
        faulty_registry(plan=plan, storage=holding()) as registry,
        aiohttp.ClientSession(registry.url) as http,
        http.get(BLOB) as answer,
    ):
        content = await answer.read()
    assert len(content) == len(CONTENT)
    assert sum((a ^ b).bit_count() for a, b in zip(content, CONTENT, strict=True)) == 1


async def test_an_answer_can_drip_by_the_clock_of_the_test() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    plan = Script([on("GET blob", Drip(size=1000, pause=30))])
    async with (
        faulty_registry(plan=plan, storage=holding(), sleep=sleep) as registry,
        aiohttp.ClientSession(registry.url) as http,
        http.get(BLOB) as answer,
    ):
        assert await answer.read() == CONTENT
    assert pauses == [30] * 10


async def test_an_answer_can_come_late_to_a_request_that_took_effect() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        assert registry.storage.blob_size("app", DIGEST) is not None

    plan = Script([on("POST uploads", Late(pause=300))])
    async with (
        faulty_registry(plan=plan, sleep=sleep) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        assert await push(http) == 201
    assert pauses == [300]


async def test_location_can_lead_to_another_host_that_takes_the_rest() -> None:
    async with faulty_registry() as other:
        plan = Script([on("POST uploads", LocationElsewhere(base=other.url))])
        async with (
            faulty_registry(plan=plan, storage=other.storage) as registry,
            aiohttp.ClientSession(registry.url) as http,
        ):
            where = await begin(http)
            assert where.startswith(other.url)
            params = {"digest": str(DIGEST)}
            async with http.put(where, params=params, data=CONTENT) as answer:
                assert answer.status == 201
            assert other.requests("PUT")[0].authorization is None
            async with http.get(BLOB) as answer:
                assert await answer.read() == CONTENT


async def test_a_blob_can_be_redirected_to_another_host() -> None:
    async with faulty_registry(storage=holding()) as other:
        plan = Script([on("GET blob", Redirect(base=other.url))])
        async with (
            faulty_registry(plan=plan) as registry,
            aiohttp.ClientSession(registry.url) as http,
            http.get(BLOB) as answer,
        ):
            assert await answer.read() == CONTENT
        assert len(other.requests("GET", Kind.BLOB)) == 1


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        (read_only(), 405),
        (read_only(FORBIDDEN), 403),
        (Script([Rule(fault=DISK_FULL, times=None)]), 500),
    ],
)
async def test_a_registry_can_refuse_every_write(plan: Plan, status: int) -> None:
    async with (
        faulty_registry(plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        for _ in range(3):
            assert await push(http) == status
        assert registry.received == 0


async def test_it_speaks_tls_with_the_context_given() -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    plan = Script([on("POST uploads", ResetResponse())])
    async with (
        faulty_registry(tls=server, plan=plan) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        assert registry.url.startswith("https://127.0.0.1:")
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.post(UPLOADS, ssl=client)
        async with http.get("/v2/", ssl=client) as answer:
            assert answer.status == 200


async def storm(seed: int) -> tuple[int, list[str]]:
    async with faulty_registry(plan=seeded_faults(seed, 0.5)) as registry:
        await until_pushed(registry)
        return len(registry.recorded), [str(record.fault) for record in registry.recorded]


async def until_pushed(registry: FaultyRegistry) -> None:
    async with aiohttp.ClientSession(registry.url) as http:
        for _ in range(100):
            try:
                if await push(http) == 201:
                    return
            except aiohttp.ClientError:
                continue
    pytest.fail("a storm should let one request in three through")


async def test_a_storm_is_the_same_with_the_same_seed_and_lets_the_patient_through() -> None:
    storms = {seed: await storm(seed) for seed in range(8)}
    assert storms == {seed: await storm(seed) for seed in range(8)}
    assert len({str(faults) for _, faults in storms.values()}) > 1


def test_a_rate_of_nothing_and_of_everything() -> None:
    route = Route(kind=Kind.BLOB, repository="app", reference=str(DIGEST))
    calm, wild = seeded_faults(1, 0.0), seeded_faults(1, 1.0, in_a_row=3)
    assert [calm.choose("GET", route, BLOB) for _ in range(20)] == [None] * 20
    met = [wild.choose("GET", route, BLOB) is not None for _ in range(8)]
    assert met == [True, True, True, False] * 2


def test_rules_count_what_they_match_and_the_first_that_applies_wins() -> None:
    route = Route(kind=Kind.BLOB, repository="app", reference="x")
    plan = Script(
        [
            on("GET blob", TOO_MANY, path="/app/", first=2, times=2),
            on("GET,HEAD blob,manifest", DISK_FULL, first=3, times=None),
        ]
    )
    chosen = [plan.choose("GET", route, "/v2/app/blobs/x") for _ in range(5)]
    assert chosen == [None, TOO_MANY, TOO_MANY, DISK_FULL, DISK_FULL]
    assert plan.choose("PUT", route, "/v2/app/blobs/x") is None
    with pytest.raises(ValueError, match="nonsense"):
        on("GET nonsense", TOO_MANY)
