"""Debian's docker-registry with token authentication, the token server being the test's own."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import load_pem_x509_certificate

from longshore.errors import RegistryDenied
from longshore.oci.digest import Digest
from longshore.registry.blobs import BlobSource, BlobStream
from longshore.registry.client import RegistryClient
from longshore.registry.limits import Limits
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret

Connect = Callable[..., RegistryClient]
Real = Callable[..., AbstractAsyncContextManager[str]]
pytestmark = pytest.mark.registry

MEBIBYTE = 1 << 20
BOB = Credential(username="bob", password=Secret("pw-of-bob"), origin="the tests")
REPOSITORY = "team/app"


class TokenServer:
    """Gives bob what he asks for, and everybody else pull; signs as distribution checks it."""

    def __init__(self, folder: Path) -> None:
        certificate = trustme.CA().issue_cert("tokens.example")
        pem = certificate.cert_chain_pems[0].bytes()
        key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        der = load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
        self._chain = base64.b64encode(der).decode()
        self.bundle = folder / "tokens.pem"
        self.bundle.write_bytes(pem)
        self.expires_in = 300
        self.asked: list[list[str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        scopes = request.query.getall("scope", [])
        self.asked.append(scopes)
        known = request.headers.get("Authorization") == "Basic Ym9iOnB3LW9mLWJvYg=="
        access = [self._access(scope, known) for scope in scopes]
        return web.json_response({"token": self._sign(access), "expires_in": self.expires_in})

    def _access(self, scope: str, known: bool) -> dict[str, object]:
        kind, name, actions = scope.split(":")
        granted = [action for action in actions.split(",") if known or action == "pull"]
        return {"type": kind, "name": name, "actions": granted}

    def _sign(self, access: list[dict[str, object]]) -> str:
        now = int(time.time())
        claims = {
            "iss": "tests",
            "aud": "registry",
            "sub": "",
            "iat": now - 1,
            "nbf": now - 1,
            "exp": now + self.expires_in,
            "jti": "1",
            "access": access,
        }
        header = {"typ": "JWT", "alg": "ES256", "x5c": [self._chain]}
        signed = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
        der = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        pair = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))
        return f"{signed}.{_encode(pair)}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


Tokens = AbstractAsyncContextManager[tuple[TokenServer, str]]


@pytest.fixture
def token_registry(tmp_path: Path, real_registry: Real) -> Callable[[], Tokens]:
    """Starts a token server and a registry that trusts it; gives the server and the host."""

    @asynccontextmanager
    async def start() -> AsyncIterator[tuple[TokenServer, str]]:
        server = TokenServer(tmp_path)
        app = web.Application()
        app.router.add_get("/token", server.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            realm = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
            settings = f"realm: {realm}, service: registry, issuer: tests"
            more = f"auth:\n  token: {{{settings}, rootcertbundle: {server.bundle}}}\n"
            async with real_registry(more) as host:
                yield server, host
        finally:
            await runner.cleanup()

    return start


async def test_one_token_for_a_blob_and_another_for_mounting_it(
    token_registry: Callable[[], Tokens], connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    async with token_registry() as (server, host), connect(host, credential=BOB) as client:
        digest = (await client.upload_blob("base/image", stream(b"layer"))).digest
        assert await client.blob_exists("base/image", digest)
        assert await client.mount(REPOSITORY, digest, "base/image")
    assert server.asked == [
        ["repository:base/image:pull,push"],
        ["repository:base/image:pull"],
        [f"repository:{REPOSITORY}:pull,push", "repository:base/image:pull"],
    ]


async def test_anonymous_may_look_but_not_push(
    token_registry: Callable[[], Tokens], connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    async with token_registry() as (_, host), connect(host) as client:
        assert not await client.blob_exists(REPOSITORY, Digest.of(b"x"))
        with pytest.raises(RegistryDenied, match="UNAUTHORIZED: authentication required") as caught:
            await client.upload_blob(REPOSITORY, stream(b"x"))
    assert caught.value.hint == (
        f"no credential for {host} was found; add one with: docker login {host}"
    )


async def test_tokens_that_end_during_the_upload_are_renewed_before_they_do(
    token_registry: Callable[[], Tokens],
    connect: Connect,
    some_bytes: Callable[..., bytes],
    waits: list[float],
) -> None:
    """Every piece takes four minutes of the client's time; a token lives for five."""
    blob = some_bytes(3 * MEBIBYTE)

    class Slow:
        digest = Digest.of(blob)
        size = len(blob)

        @asynccontextmanager
        async def open(self) -> AsyncIterator[BlobStream]:
            yield self

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for begin in range(0, len(blob), MEBIBYTE):
                waits.append(240)
                yield blob[begin : begin + MEBIBYTE]

    limits = Limits(chunk_size=MEBIBYTE)
    async with (
        token_registry() as (server, host),
        connect(host, credential=BOB, limits=limits) as client,
    ):
        client._line.chunking.streaming = False
        await client.upload_blob(REPOSITORY, Slow())
    # One at the start, one for the first chunk after eight minutes of reading.
    assert len(server.asked) == 2
