"""Tokens and passwords: asked for once, widened, renewed in time, and never repeated in vain."""

from __future__ import annotations

import base64

import anyio
import pytest
from aiohttp import web

from longshore.errors import RegistryDenied, RegistryError
from longshore.registry.limits import Limits
from longshore.registry.progress import Progress
from longshore.registry.tags import list_tags
from longshore.registry.transport.retry import Clock
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import BasicAuth, TokenAuth
from longshore.testing.registry_bench import FreeTime

from ..conftest import Connect, MakeStream, Serve

REPOSITORY = "team/app"
USERS = {"bob": "pw-of-bob"}
BOB = Credential(username="bob", password=Secret("pw-of-bob"), origin="the tests")


async def test_a_registry_that_calls_its_repositories_otherwise_gets_a_token_for_its_name(
    serve: Serve, connect: Connect
) -> None:
    """One behind a name of its own, as a mirror or a project of a larger one is."""
    inside = "repository:mirror/team/app:pull"
    asked: list[list[str]] = []

    def registry(request: web.Request) -> web.Response:
        if request.path == "/token":
            asked.append(request.query.getall("scope"))
            return web.json_response({"token": "good" if inside in asked[-1] else "poor"})
        if request.headers.get("Authorization") == "Bearer good":
            return web.json_response({"tags": ["1"]})
        realm = f'Bearer realm="http://{request.host}/token",service="r",scope="{inside}"'
        return web.Response(status=401, headers={"WWW-Authenticate": realm})

    async with serve(registry) as host, connect(host) as client:
        for _ in range(2):
            assert await client.tags(REPOSITORY) == ("1",)
    assert asked == [["repository:team/app:pull", inside]]


async def test_a_wrong_password_is_sent_once(connect: Connect) -> None:
    """Some lock a user out for the second."""
    wrong = Credential(username="bob", password=Secret("not-his"), origin="the tests")
    async with (
        faulty_registry(auth=BasicAuth(users=USERS)) as registry,
        connect(registry.host, credential=wrong) as client,
    ):
        with pytest.raises(RegistryDenied):
            await client.tags(REPOSITORY)
        assert [bool(one.authorization) for one in registry.recorded] == [False, True]


async def test_a_token_with_a_short_life_serves_more_than_one_request(
    connect: Connect, clock: Clock
) -> None:
    auth = TokenAuth(users=USERS, expires_in=20, clock=clock.now)
    async with (
        faulty_registry(auth=auth) as registry,
        connect(registry.host, credential=BOB) as client,
    ):
        for _ in range(3):
            await client.tags(REPOSITORY)
    assert len(auth.asked) == 1


@pytest.mark.parametrize(("later", "tokens"), [(260, 1), (280, 2)])
async def test_a_token_is_renewed_before_it_ends(
    connect: Connect, time: FreeTime, clock: Clock, later: float, tokens: int
) -> None:
    """A stream that is under way when it ends could not be sent again."""
    auth = TokenAuth(users=USERS, expires_in=300, clock=clock.now)
    async with (
        faulty_registry(auth=auth) as registry,
        connect(registry.host, credential=BOB) as client,
    ):
        await client.tags(REPOSITORY)
        registry.recorded.clear()
        time.waits.append(later)
        await client.tags(REPOSITORY)
        assert "GET 401" not in registry.story
    assert len(auth.asked) == tokens


async def test_a_late_refusal_of_an_old_token_does_not_cost_the_new_one(
    serve: Serve, connect: Connect
) -> None:
    issued: list[str] = []
    valid, renewed = ["token1"], anyio.Event()

    async def registry(request: web.Request) -> web.Response:
        if request.path == "/token":
            issued.append(f"token{len(issued) + 1}")
            return web.json_response({"token": issued[-1]})
        used = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if used in valid:
            if used == "token2":
                renewed.set()
            return web.json_response({"tags": [used]})
        if used and request.path.startswith("/v2/team/slow"):
            await renewed.wait()
        challenge = f'Bearer realm="http://{request.host}/token",service="r"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async with serve(registry) as host, connect(host) as client:
        call = client._line.call
        quick, slow = call("team/quick", ("scope",)), call("team/slow", ("scope",))
        assert await list_tags(quick) == ("token1",)
        valid[:] = ["token2"]
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(list_tags, slow)
                tasks.start_soon(list_tags, quick)
    assert issued == ["token1", "token2"]


@pytest.mark.parametrize("status", [302, 404])
async def test_a_token_server_that_is_not_where_the_registry_says_is_told_with_its_address(
    serve: Serve, connect: Connect, status: int
) -> None:
    """As of a registry behind a proxy that knows its own address wrongly."""

    def registry(request: web.Request) -> web.Response:
        if request.path == "/token":
            headers = {"Location": "http://127.0.0.1:1/login"} if status == 302 else {}
            return web.Response(status=status, headers=headers)
        realm = f'Bearer realm="http://{request.host}/token?x=1",service="r"'
        return web.Response(status=401, headers={"WWW-Authenticate": realm})

    async with serve(registry) as host, connect(host, credential=BOB) as client:
        with pytest.raises(RegistryError) as caught:
            await client.check_push(REPOSITORY)
    assert not isinstance(caught.value, RegistryDenied)
    assert caught.value.message.startswith(f"{host} gave no token for an upload of {REPOSITORY}")
    assert caught.value.hint == (
        f"{host} names http://{host}/token as its token server; its owner has to correct that "
        "address"
    )


@pytest.mark.parametrize("status", [401, 403])
async def test_a_login_that_is_never_asked_for_is_not_said_to_be_tried(
    serve: Serve, connect: Connect, status: int
) -> None:
    async with (
        serve(lambda _: web.Response(status=status)) as host,
        connect(host, credential=BOB) as client,
    ):
        with pytest.raises(RegistryDenied) as caught:
            await client.check_push(REPOSITORY)
    assert caught.value.hint == (
        f'{host} did not ask for a login (WWW-Authenticate), so user "bob" from the tests was not '
        "tried; its owner has to mend that: a proxy before it may drop this header"
    )


async def test_scopes_that_are_named_together_are_asked_for_one_by_one(
    serve: Serve, connect: Connect
) -> None:
    """As of a mount, which reads one repository and writes another."""
    named = "repository:team/app:pull repository:base/app:pull"
    asked: list[list[str]] = []

    def registry(request: web.Request) -> web.Response:
        if request.path == "/token":
            asked.append(request.query.getall("scope"))
            return web.json_response({"token": "good" if len(asked[-1]) > 1 else "poor"})
        if request.headers.get("Authorization") == "Bearer good":
            return web.json_response({"tags": ["1"]})
        realm = f'Bearer realm="http://{request.host}/token",service="r",scope="{named}"'
        return web.Response(status=401, headers={"WWW-Authenticate": realm})

    async with serve(registry) as host, connect(host) as client:
        assert await client.tags(REPOSITORY) == ("1",)
    assert asked == [["repository:team/app:pull", "repository:base/app:pull"]]


@pytest.mark.parametrize("status", [403, 503])
async def test_a_token_that_a_refusal_repeats_is_told_to_nobody(
    serve: Serve, connect: Connect, told: list[Progress], status: int
) -> None:
    """As a proxy does whose operator looks for an error."""
    token = "c2VjcmV0.dG9rZW4-b2Y_Ym9i"

    def registry(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"token": token})
        given = request.headers.get("Authorization")
        realm = {"WWW-Authenticate": f'Bearer realm="http://{request.host}/token"'}
        if given is None:
            return web.Response(status=401, headers=realm)
        message = f"{'-' * 370} nobody with {given}"
        return web.json_response({"errors": [{"message": message}]}, status=status)

    async with serve(registry) as host, connect(host, limits=Limits(retries=1)) as client:
        with pytest.raises(RegistryError) as refused:
            await client.tags(REPOSITORY)
    assert "nobody with Bearer ***" in str(refused.value)
    assert token[:4] not in f"{refused.value}{told}"


@pytest.mark.parametrize(
    "credential",
    [BOB, Credential(identity_token=Secret("pw-of-bob"), origin="the tests")],
)
async def test_a_password_that_the_token_server_repeats_is_told_to_nobody(
    serve: Serve, connect: Connect, credential: Credential
) -> None:
    async def registry(request: web.Request) -> web.Response:
        realm = {"WWW-Authenticate": f'Bearer realm="http://{request.host}/token"'}
        if request.path != "/token":
            return web.Response(status=401, headers=realm)
        given = request.headers.get("Authorization") or await request.text()
        return web.json_response({"errors": [{"message": f"not with {given}"}]}, status=401)

    async with serve(registry) as host, connect(host, credential=credential) as client:
        with pytest.raises(RegistryDenied) as refused:
            await client.tags(REPOSITORY)
    assert "***" in str(refused.value)
    assert "pw-of" not in str(refused.value)
    assert base64.b64encode(b"bob:pw-of-bob").decode() not in str(refused.value)


async def test_the_signature_of_an_address_that_a_refusal_repeats_is_told_to_nobody(
    serve: Serve, connect: Connect, stream: MakeStream
) -> None:
    def registry(request: web.Request) -> web.Response:
        if request.method == "POST":
            place = "/upload?X-Amz-Signature=5ec2e7&digest=any"
            return web.Response(status=202, headers={"Location": place})
        if request.method == "HEAD":
            return web.Response(status=404)
        return web.Response(status=403, text=f"not with {request.url}")

    async with serve(registry) as host, connect(host) as client:
        with pytest.raises(RegistryDenied, match=r"X-Amz-Signature=\*\*\*&digest=any"):
            await client.upload_blob(REPOSITORY, stream(b"bytes"))
