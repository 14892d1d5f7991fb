"""The registry with faults asks who somebody is: basic authentication, and tokens."""

from __future__ import annotations

import base64
import re

import aiohttp
import pytest

from longshore.oci.digest import Digest
from longshore.registry.server.routes import Kind
from longshore.testing.faults import Answer, ExpireTokens, Script, on
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import BasicAuth, TokenAuth

CONTENT = b"0123456789"
DIGEST = Digest.of(CONTENT)
UPLOADS = "/v2/app/blobs/uploads/"


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


async def test_basic_authentication_lets_only_users_in() -> None:
    async with (
        faulty_registry(auth=BasicAuth(users={"ci": "secret"})) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        for header, status in (
            ({}, 401),
            ({"Authorization": basic("ci", "wrong")}, 401),
            ({"Authorization": "Basic ???"}, 401),
            ({"Authorization": basic("ci", "secret")}, 200),
        ):
            async with http.get("/v2/", headers=header) as answer:
                assert answer.status == status
                assert ("WWW-Authenticate" in answer.headers) == (status == 401)
        assert registry.recorded[-1].authorization == basic("ci", "secret")


def challenge(answer: aiohttp.ClientResponse) -> dict[str, str]:
    header = answer.headers["WWW-Authenticate"]
    assert header.startswith("Bearer ")
    return dict(re.findall(r'(\w+)="([^"]*)"', header))


async def token(http: aiohttp.ClientSession, asked: dict[str, str]) -> dict[str, str]:
    params = [("service", asked["service"]), *(("scope", s) for s in asked["scope"].split())]
    headers = {"Authorization": basic("ci", "secret")}
    async with http.get(asked["realm"], params=params, headers=headers) as answer:
        assert answer.status == 200
        return {"Authorization": f"Bearer {(await answer.json())['token']}"}


async def test_a_bearer_token_allows_its_scope_until_it_expires() -> None:
    now = 0.0
    auth = TokenAuth(users={"ci": "secret"}, expires_in=60, clock=lambda: now)
    async with (
        faulty_registry(auth=auth) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        async with http.post(UPLOADS) as answer:
            assert answer.status == 401
            asked = challenge(answer)
        assert asked["scope"] == "repository:app:pull,push"
        headers = await token(http, asked)
        async with http.post(UPLOADS, headers=headers) as answer:
            assert answer.status == 202
            where = answer.headers["Location"]
        async with http.post("/v2/other/blobs/uploads/", headers=headers) as answer:
            assert challenge(answer)["error"] == "insufficient_scope"
        now = 61.0
        async with http.patch(where, headers=headers, data=CONTENT) as answer:
            assert answer.status == 401
            assert challenge(answer)["error"] == "invalid_token"
        headers = await token(http, asked)
        async with http.patch(where, headers=headers, data=CONTENT) as answer:
            assert answer.status == 202


async def test_tokens_can_expire_in_the_middle_of_an_upload() -> None:
    plan = Script([on("PATCH upload", ExpireTokens(), first=2)])
    auth = TokenAuth(users={"ci": "secret"})
    async with (
        faulty_registry(plan=plan, auth=auth) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        async with http.post(UPLOADS) as answer:
            asked = challenge(answer)
        headers = await token(http, asked)
        async with http.post(UPLOADS, headers=headers) as answer:
            where = answer.headers["Location"]
        for status in (202, 401):
            async with http.patch(where, headers=headers, data=b"x") as answer:
                assert answer.status == status
        headers = await token(http, asked)
        async with http.patch(where, headers=headers, data=b"x") as answer:
            assert (answer.status, answer.headers["Range"]) == (202, "0-1")


async def test_mounting_needs_the_right_to_read_the_source() -> None:
    async with (
        faulty_registry(auth=TokenAuth()) as registry,
        aiohttp.ClientSession(registry.url) as http,
        http.post(UPLOADS, params={"mount": str(DIGEST), "from": "base"}) as answer,
    ):
        scopes = challenge(answer)["scope"].split()
        assert scopes == ["repository:app:pull,push", "repository:base:pull"]


async def test_the_token_endpoint_has_faults_of_its_own() -> None:
    plan = Script([on("* other", Answer(status=503))])
    async with (
        faulty_registry(plan=plan, auth=TokenAuth()) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        async with http.get("/v2/") as answer:
            assert answer.status == 401
        for status in (503, 200):
            async with http.get("/token") as answer:
                assert answer.status == status
        assert [record.kind for record in registry.recorded] == [Kind.BASE, Kind.OTHER, Kind.OTHER]
        assert sorted(record.at for record in registry.recorded) == [
            record.at for record in registry.recorded
        ]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "password", "username": "ci", "password": "secret"}, 200),
        ({"grant_type": "password", "username": "ci", "password": "wrong"}, 401),
        ({"grant_type": "password", "username": "nobody"}, 401),
        ({"grant_type": "refresh_token", "refresh_token": "identity"}, 200),
        ({"grant_type": "refresh_token", "refresh_token": "other"}, 401),
        ({}, 401),
    ],
)
async def test_the_token_endpoint_knows_oauth(form: dict[str, str], status: int) -> None:
    auth = TokenAuth(users={"ci": "secret"}, refresh_tokens=frozenset({"identity"}))
    async with (
        faulty_registry(auth=auth) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        scope = {"scope": "repository:app:pull,push", "service": auth.service}
        async with http.post("/token", data=form | scope) as answer:
            assert answer.status == status
            text = (await answer.json()).get("access_token")
        if status == 200:
            headers = {"Authorization": f"Bearer {text}"}
            async with http.post(UPLOADS, headers=headers) as answer:
                assert answer.status == 202


async def test_a_denied_scope_is_left_out_of_the_token() -> None:
    auth = TokenAuth(users={"ci": "secret"}, denied=frozenset({"repository:app:push"}))
    async with (
        faulty_registry(auth=auth) as registry,
        aiohttp.ClientSession(registry.url) as http,
    ):
        async with http.post(UPLOADS) as answer:
            headers = await token(http, challenge(answer))
        async with http.post(UPLOADS, headers=headers) as answer:
            assert answer.status == 401
            assert challenge(answer)["error"] == "insufficient_scope"
