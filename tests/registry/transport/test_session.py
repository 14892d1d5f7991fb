"""Connections: proxies, certificates, and what never leaves or stays."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

import anyio
import pytest
import trustme
from aiohttp import ClientSession, web
from msgspec.structs import replace
from yarl import URL

from longshore.environment import Environment
from longshore.errors import InvalidValue, RegistryError, RegistryUnavailable
from longshore.registry.client import Access, RegistryClient
from longshore.registry.clients import Clients, opened_clients
from longshore.registry.transport.errors import Interrupted
from longshore.registry.transport.exchange import Content, Pieces, Request, Subject
from longshore.registry.transport.session import BODY_LIMIT, Session
from longshore.testing.registry import faulty_registry

Connect = Callable[..., RegistryClient]
Handler = Callable[[web.Request], object]


@asynccontextmanager
async def _server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Any path is answered by `handler`; gives host and port."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)  # type: ignore[arg-type]  # a handler may be a lambda here
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _get(url: str) -> Request:
    return Request(method="GET", url=URL(url), subject=Subject(registry="r.example"))


async def test_a_line_that_takes_long_for_one_large_piece_is_not_silent() -> None:
    piece = bytes(32 << 20)

    async def slow(request: web.Request) -> web.Response:
        size = 0
        while data := await request.content.read(1 << 20):
            size += len(data)
            await anyio.sleep(0.04)
        return web.Response(text=str(size))

    async def body() -> AsyncIterator[bytes]:
        yield piece

    async with _server(slow) as host, Session(environment=Environment({}), idle=0.5) as session:
        for sent in (body(), Pieces((piece,))):
            request = Request(
                method="PUT", url=URL(f"http://{host}/"), subject=Subject(registry=host), body=sent
            )
            answer = await session.send(request)
            assert answer.body == b"%d" % len(piece)


async def test_a_body_that_is_handed_on_as_a_whole_first_is_waited_for() -> None:
    """nginx by its default takes all of it, then sends it on; nothing moves here meanwhile."""
    piece = bytes(1 << 20)

    async def buffering(request: web.Request) -> web.Response:
        size = len(await request.read())
        await anyio.sleep(0.6)
        return web.Response(text=str(size))

    async def body() -> AsyncIterator[bytes]:
        yield piece

    async with (
        _server(buffering) as host,
        Session(environment=Environment({}), idle=0.2) as session,
    ):
        for sent in (body(), Pieces((piece,))):
            request = Request(
                method="PUT", url=URL(f"http://{host}/"), subject=Subject(registry=host), body=sent
            )
            answer = await session.send(request)
            assert answer.body == b"%d" % len(piece)
        with pytest.raises(Interrupted, match="no byte moved"):
            await session.send(_get(f"http://{host}/"))


async def test_a_source_may_take_longer_than_a_line_may_be_silent() -> None:
    async def body() -> AsyncIterator[bytes]:
        for piece in (b"one", b"two"):
            await anyio.sleep(0.3)
            yield piece

    async def count(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async with _server(count) as host, Session(environment=Environment({}), idle=0.2) as session:
        request = Request(
            method="PUT", url=URL(f"http://{host}/"), subject=Subject(registry=host), body=body()
        )
        assert (await session.send(request)).body == b"onetwo"


async def test_an_answer_that_stops_in_the_middle_is_cut_off() -> None:
    async def stuck(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "6"})
        await response.prepare(request)
        await response.write(b"one")
        with suppress(ConnectionError):
            await anyio.sleep(5)
        return response

    got: list[bytes] = []

    async def read(content: Content) -> None:
        async for data in content:
            got.append(data)  # noqa: PERF401  # what came before the failure counts

    async with _server(stuck) as host, Session(environment=Environment({}), idle=0.1) as session:
        answer = await session.send(replace(_get(f"http://{host}/"), keep_open=True))
        assert answer.content is not None
        with anyio.fail_after(2), pytest.raises(Interrupted):
            await read(answer.content)
        await answer.content.aclose()
    assert got == [b"one"]


async def test_a_bug_in_what_gives_the_bytes_is_not_told_as_a_broken_connection() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"some"
        raise ZeroDivisionError

    async with faulty_registry() as registry, Session(environment=Environment({})) as session:
        request = Request(
            method="PUT",
            url=URL(f"{registry.url}/v2/"),
            subject=Subject(registry=registry.host),
            body=body(),
        )
        with pytest.raises(ZeroDivisionError):
            await session.send(request)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_plain_requests_go_through_the_proxy_which_resolves_the_name(
    connect: Connect, scheme: str, tmp_path: Path
) -> None:
    tls, authority = _tls()
    authority.cert_pem.write_to_path(tmp_path / "authority.crt")
    seen: list[str] = []
    async with faulty_registry() as registry, ClientSession() as outside:

        async def forward(request: web.BaseRequest) -> web.Response:
            seen.append(str(request.raw_path))
            target = registry.url + request.rel_url.raw_path_qs
            async with outside.request(request.method, target) as answer:
                return web.Response(status=answer.status, body=await answer.read())

        async with _server(forward, tls if scheme == "https" else None) as proxy:
            host = "registry.invalid:5000"
            environment = {"HTTP_PROXY": f"{scheme}://{proxy}"}
            trust = {"insecure": [host], "authorities": [tmp_path / "authority.crt"]}
            async with connect(host, environment=environment, **trust) as client:
                assert await client.tags("a/b") == ()
    assert "http://registry.invalid:5000/v2/" in seen


def _tls(name: str = "127.0.0.1") -> tuple[ssl.SSLContext, trustme.CA]:
    """What a server called `name` serves with, and the authority that issued its certificate."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(server)
    return server, authority


async def test_a_proxy_that_is_not_there_is_named_as_the_cause(connect: Connect) -> None:
    environment = {"HTTPS_PROXY": "http://127.0.0.1:1"}
    async with connect("registry.invalid", environment=environment) as client:
        with pytest.raises(RegistryUnavailable, match="the proxy cannot be reached") as caught:
            await client.ping()
    assert caught.value.hint == "check HTTPS_PROXY and NO_PROXY"


async def test_a_proxy_that_wants_a_login_is_told_with_where_to_write_it(connect: Connect) -> None:
    async def refuse(_: web.BaseRequest) -> web.Response:
        return web.Response(status=407, headers={"Proxy-Authenticate": "Basic"})

    async with _server(refuse) as proxy:
        environment = {"HTTPS_PROXY": f"http://{proxy}"}
        async with connect("registry.invalid", environment=environment) as client:
            with pytest.raises(RegistryUnavailable, match="refused the connection") as no:
                await client.ping()
    assert no.value.hint == (
        "write user and password into HTTPS_PROXY or HTTP_PROXY: http://user:password@host"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_gets_its_login_in_utf8(scheme: str) -> None:
    """As from curl and Go; a sign outside Latin-1 was no login at all."""
    seen: list[tuple[str, str | None]] = []

    async def refuse(request: web.BaseRequest) -> web.Response:
        seen.append((request.method, request.headers.get("Proxy-Authorization")))
        return web.Response(status=403)

    async with _server(refuse) as proxy:
        login = f"http://b%C3%BCb:%E2%82%AC@{proxy}"
        environment = Environment({"HTTPS_PROXY": login, "HTTP_PROXY": login})
        async with Session(environment=environment) as session:
            with suppress(RegistryUnavailable):
                await session.send(_get(f"{scheme}://registry.invalid/v2/"))
    header = f"Basic {b64encode('büb:€'.encode()).decode()}"
    assert seen == [("CONNECT" if scheme == "https" else "GET", header)]


@pytest.mark.parametrize("name", [f"{'a' * 70}.example", "registry..example"])
async def test_a_name_that_no_host_can_have_is_told_without_trying_again(
    connect: Connect, name: str
) -> None:
    async with connect(name) as client:
        with pytest.raises(RegistryUnavailable, match="no host can have that name") as caught:
            await client.ping()
    assert caught.value.hint == f"check the name {name}"


async def test_a_host_listed_as_insecure_may_have_any_certificate(connect: Connect) -> None:
    server, _ = _tls("elsewhere.example")
    async with faulty_registry(tls=server) as registry:
        async with connect(registry.host, insecure=[registry.host]) as client:
            assert (await client.ping()).scheme == "https"
        async with connect(registry.host) as client:
            with pytest.raises(RegistryUnavailable, match="certificate is not trusted"):
                await client.ping()


async def test_a_plain_server_on_a_tls_port_is_told_with_the_remedy() -> None:
    async with faulty_registry() as registry:
        async with Session(environment=Environment({})) as session:
            with pytest.raises(RegistryUnavailable, match="does not speak HTTPS") as caught:
                await session.send(_get(f"https://{registry.host}/v2/"))
        assert f"--insecure-registry {registry.host}" in str(caught.value.hint)
        assert registry.recorded == []


async def test_our_own_certificate_is_shown_to_the_host_it_is_for(
    connect: Connect, tmp_path: Path
) -> None:
    server, authority = _tls()
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    ours = authority.issue_cert("client@example.org")
    async with faulty_registry(tls=server) as registry:
        folder = tmp_path / "certs" / registry.host
        folder.mkdir(parents=True)
        authority.cert_pem.write_to_path(folder / "ca.crt")
        ours.cert_chain_pems[0].write_to_path(folder / "client.cert")
        ours.private_key_pem.write_to_path(folder / "client.key")
        async with connect(registry.host, certificates=tmp_path / "certs") as client:
            assert await client.tags("a/b") == ()


@pytest.mark.parametrize("directory", [".docker/certs.d", ".config/docker/certs.d"])
async def test_whom_docker_desktop_and_rootless_docker_trust_is_trusted(
    connect: Connect, tmp_path: Path, directory: str
) -> None:
    server, authority = _tls()
    async with faulty_registry(tls=server) as registry:
        folder = tmp_path / directory / registry.host
        folder.mkdir(parents=True)
        authority.cert_pem.write_to_path(folder / "ca.crt")
        async with connect(registry.host, environment={"HOME": str(tmp_path)}) as client:
            assert (await client.ping()).scheme == "https"


EXPECTED = "expected was a file with the certificate of an authority (-----BEGIN CERTIFICATE-----)"


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (
            b"nothing",
            "holds no certificate in PEM form",
            "give the certificate of the authority that issued the registry's, not its key",
        ),
        (
            trustme.CA().private_key_pem.bytes(),
            "holds no certificate in PEM form",
            "give the certificate of the authority that issued the registry's, not its key",
        ),
        (
            PEM_cert_to_DER_cert(trustme.CA().cert_pem.bytes().decode()),
            "holds no certificate in PEM form",
            "turn it into PEM with: openssl x509 -inform der -in {path} -out {path}.pem",
        ),
        (
            None,
            "cannot be read: is a directory",
            "correct the path, or let this user read the file",
        ),
    ],
    ids=["text", "key", "DER", "directory"],
)
async def test_a_file_for_the_registry_that_is_no_certificate_is_told_before_anything_is_asked(
    connect: Connect,
    tmp_path: Path,
    content: bytes | None,
    message: str,
    hint: str,
) -> None:
    async with faulty_registry() as registry:
        path = tmp_path / "certs.d" / registry.host / "ca.crt"
        path.parent.mkdir(parents=True)
        path.mkdir() if content is None else path.write_bytes(content)
        with pytest.raises(InvalidValue) as caught:
            await connect(registry.host).__aenter__()
    assert caught.value.message == f"{path} {message}; {EXPECTED}"
    assert caught.value.hint == hint.format(path=path)
    assert registry.recorded == []


async def test_a_certificate_of_ours_without_its_key_is_told_too(
    connect: Connect, tmp_path: Path
) -> None:
    folder = tmp_path / "certs.d" / "r.example"
    folder.mkdir(parents=True)
    trustme.CA().issue_cert("me@example.org").cert_chain_pems[0].write_to_path(folder / "me.cert")
    with pytest.raises(InvalidValue) as caught:
        await connect("r.example").__aenter__()
    assert caught.value.message == (
        f"{folder}/me.cert and me.key cannot be used as our own certificate: "
        "no such file or directory"
    )


async def test_clients_that_could_not_be_opened_are_opened_when_the_file_is_mended(
    tmp_path: Path,
) -> None:
    path = tmp_path / "r.example" / "ca.crt"
    path.parent.mkdir()
    path.write_text("nothing")
    access = Access(environment=Environment({}), certificates=tmp_path)
    async with opened_clients(Clients(access=access)) as clients:
        with pytest.raises(InvalidValue):
            await clients.placer("r.example", None)
        trustme.CA().cert_pem.write_to_path(path)
        assert await clients.placer("r.example", None) is await clients.placer("r.example", None)


async def test_an_endless_answer_is_cut() -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(bytes(1 << 20))
        return response

    async with _server(endless) as host, Session(environment=Environment({})) as session:
        with anyio.fail_after(20):
            answer = await session.send(_get(f"http://{host}/"))
    assert len(answer.body) == BODY_LIMIT


async def test_cookies_are_not_kept_and_redirects_not_followed() -> None:
    seen: list[str | None] = []

    async def redirect(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        return web.Response(status=302, headers={"Location": "/next", "Set-Cookie": "a=1"})

    async with _server(redirect) as host, Session(environment=Environment({})) as session:
        for _ in range(2):
            assert (await session.send(_get(f"http://{host}/"))).status == 302
    assert seen == [None, None]


async def test_a_server_that_is_no_registry_is_an_error_about_the_address(
    connect: Connect,
) -> None:
    async def page(_: web.BaseRequest) -> web.Response:
        return web.Response(text="<html>hello</html>", content_type="text/html")

    async with _server(page) as host, connect(host) as client:
        with pytest.raises(RegistryError, match="something else") as caught:
            await client.tags("a/b")
    assert caught.value.hint == "check that this is the address of a registry"


@pytest.mark.parametrize(
    ("headers", "shown"),
    [({"Authorization": "Bearer ours"}, "Bearer ours"), ({}, "Basic dTpw")],
)
async def test_our_authorization_beats_a_login_in_the_address(
    headers: dict[str, str], shown: str
) -> None:
    """Registries name addresses in `Location`, and token servers in their challenges."""

    async def tell(request: web.BaseRequest) -> web.Response:
        return web.Response(text=f"{request.headers['Authorization']} {request.raw_path}")

    async with _server(tell) as host, Session(environment=Environment({})) as session:
        url = URL(f"http://u:p@{host}/a%2Fb?c=%2F", encoded=True)
        request = replace(_get(""), url=url, headers=headers)
        assert (await session.send(request)).body.decode() == f"{shown} /a%2Fb?c=%2F"
