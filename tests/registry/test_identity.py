"""Who we are to a registry: what is sent to whom, renewed when, and told of whom."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from longshore.errors import (
    RegistryDenied,
    RegistryError,
)
from longshore.registry.server.refusals import Code, Refusal
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.blob import content_of, tiny_image
from longshore.testing.faults import (
    FORBIDDEN,
    ExpireTokens,
    Fault,
    LocationElsewhere,
    Redirect,
    Script,
    on,
    read_only,
)
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import TOKEN_PATH, BasicAuth, TokenAuth
from longshore.testing.registry_process import certificates

from .conftest import Connect, MakeBytes, MakeStream

MEBIBYTE = 1 << 20
REPOSITORY = "team/app"
BOB = Credential(username="bob", password=Secret("pw-of-bob"), origin="the tests")
USERS = {"bob": "pw-of-bob"}


class TestIdentity:
    async def test_credentials_are_sent_only_where_they_are_asked_for(
        self, connect: Connect
    ) -> None:
        async with (
            faulty_registry(auth=BasicAuth(users=USERS)) as registry,
            connect(registry.host, credential=BOB) as client,
        ):
            await client.tags(REPOSITORY)
            assert [bool(record.authorization) for record in registry.recorded] == [False, True]

    async def test_nothing_changed_takes_three_requests_and_one_token(
        self, connect: Connect
    ) -> None:
        async with faulty_registry(auth=TokenAuth(users=USERS)) as registry:
            async with connect(registry.host, credential=BOB) as client:
                manifest = await tiny_image(client, REPOSITORY)
                await client.put_manifest(REPOSITORY, "t", manifest)
            registry.recorded.clear()
            async with connect(registry.host, credential=BOB) as client:
                client.will_push(REPOSITORY)
                assert await client.head_manifest(REPOSITORY, "t") == manifest.digest
                assert registry.story == ["GET 401", "GET 200", "HEAD 200"]
                await client.put_manifest(REPOSITORY, "another", manifest)
                assert registry.story[3:] == ["PUT 201"]

    async def test_an_identity_token_is_in_no_address(self, connect: Connect) -> None:
        auth = TokenAuth(users=USERS, refresh_tokens=frozenset({"id-token"}))
        identity = Credential(identity_token=Secret("id-token"))
        async with (
            faulty_registry(auth=auth) as registry,
            connect(registry.host, credential=identity) as client,
        ):
            await client.put_manifest(REPOSITORY, "t", await tiny_image(client, REPOSITORY))
            assert not any("id-token" in record.path for record in registry.recorded)

    @pytest.mark.parametrize("where", ["PATCH upload", "PUT upload", "PUT manifest"])
    async def test_a_token_that_ends_in_the_middle_of_a_push_is_renewed(
        self, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, where: str
    ) -> None:
        blob = some_bytes(3 * MEBIBYTE)
        plan = Script([on(where, ExpireTokens())])
        async with (
            faulty_registry(auth=TokenAuth(users=USERS), plan=plan) as registry,
            connect(registry.host, credential=BOB) as client,
        ):
            delivery = await client.upload_blob(REPOSITORY, stream(blob))
            await client.put_manifest(REPOSITORY, "t", await tiny_image(client, REPOSITORY))
            assert await content_of(client, REPOSITORY, delivery.digest) == blob

    async def test_a_right_that_is_missing_is_told_with_the_registrys_words(
        self, connect: Connect, stream: MakeStream
    ) -> None:
        async with (
            faulty_registry(plan=read_only(FORBIDDEN)) as registry,
            connect(registry.host, credential=BOB) as client,
        ):
            with pytest.raises(
                RegistryDenied, match="DENIED: requested access to the resource is denied"
            ):
                await client.upload_blob(REPOSITORY, stream(b"x"), name="layer 1 of 2")

    async def test_a_token_server_over_plain_http_gets_nothing(self, connect: Connect) -> None:
        class Elsewhere(TokenAuth):
            def check(self, request: object) -> None:
                header = {"WWW-Authenticate": 'Bearer realm="http://tokens.example/t"'}
                raise Refusal(401, Code.UNAUTHORIZED, "no", headers=header)

        async with (
            faulty_registry(auth=Elsewhere(users=USERS)) as registry,
            connect(registry.host, credential=BOB) as client,
        ):
            with pytest.raises(RegistryError, match=r"plain HTTP \(http://tokens\.example/t\)"):
                await client.tags(REPOSITORY)

    async def test_a_token_server_of_the_registry_itself_is_asked_by_tls_as_the_registry_is(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        """A proxy ends TLS, and the registry says http of its own address."""

        class Behind(TokenAuth):
            def check(self, request: web.Request) -> None:
                try:
                    super().check(request)
                except Refusal as refused:
                    realm = f'Bearer realm="http://{request.host}{TOKEN_PATH}",service="r"'
                    header = {"WWW-Authenticate": realm}
                    raise Refusal(401, Code.UNAUTHORIZED, "no", headers=header) from refused

        authority = certificates(tmp_path)
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
        async with (
            faulty_registry(auth=Behind(users=USERS), tls=server) as registry,
            connect(registry.host, credential=BOB, authorities=[authority]) as client,
        ):
            assert await client.tags(REPOSITORY) == ()


class TestOtherHosts:
    @pytest.mark.parametrize(
        ("where", "fault"),
        [
            ("POST uploads", LocationElsewhere),
            ("PATCH upload", LocationElsewhere),
            ("PUT manifest", Redirect),
            ("GET blob", Redirect),
            ("HEAD manifest", Redirect),
            ("PATCH upload", Redirect),
        ],
    )
    async def test_no_other_host_ever_sees_credentials(
        self,
        connect: Connect,
        stream: MakeStream,
        some_bytes: MakeBytes,
        where: str,
        fault: Callable[..., Fault],
    ) -> None:
        blob = some_bytes(2 * MEBIBYTE)
        async with (
            faulty_registry(auth=TokenAuth(users=USERS)) as registry,
            faulty_registry(storage=registry.storage) as other,
            connect(registry.host, credential=BOB) as client,
        ):
            registry.plan = Script([on(where, fault(base=other.url), times=None)])
            digest = (await client.upload_blob(REPOSITORY, stream(blob))).digest
            await client.put_manifest(REPOSITORY, "t", await tiny_image(client, REPOSITORY))
            assert await client.head_manifest(REPOSITORY, "t") is not None
            assert await content_of(client, REPOSITORY, digest) == blob
        assert other.recorded
        assert [one.path for one in other.recorded if one.authorization] == []

    async def test_a_redirected_greeting_makes_no_other_host_the_registry(
        self, connect: Connect
    ) -> None:
        """It would be given the password."""
        async with (
            faulty_registry(auth=BasicAuth(users=USERS)) as registry,
            faulty_registry(auth=BasicAuth(users=USERS)) as other,
            connect(registry.host, credential=BOB) as client,
        ):
            elsewhere = other.url.replace("127.0.0.1", "localhost")
            registry.plan = Script([on("GET base", Redirect(base=elsewhere), times=None)])
            await client.tags(REPOSITORY)
        assert other.recorded
        assert [one.path for one in other.recorded if one.authorization] == []
        assert [one.path for one in registry.recorded if one.authorization] != []
