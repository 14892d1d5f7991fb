"""Answers that no registry should give: each ends in an error that says whose fault it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiohttp import web

from longshore.errors import ContentMismatch, RegistryDenied, RegistryError, RegistryUnavailable
from longshore.oci.descriptor import Descriptor
from longshore.oci.manifest import image_manifest
from longshore.oci.media_types import DOCKER_CONFIG, DOCKER_LAYER, OCI_CONFIG, OCI_LAYER, Format
from longshore.registry.blobs import BlobSource
from longshore.registry.limits import Limits
from longshore.registry.server.refusals import Code
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.blob import BlobInPieces, content_of, tiny_image
from longshore.testing.faults import Answer, Late, Script, WrongDigest, on
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import TokenAuth

from .conftest import Connect, Serve

MANIFEST = image_manifest(Descriptor.of(b"{}", DOCKER_CONFIG), [])
BOB = Credential(username="bob", password=Secret("pw-of-bob"))


@pytest.mark.parametrize(
    "link",
    ['<http://[x>; rel="next"', '<http://xn--/>; rel="next"', '<http://h:99999/>; rel="next"'],
)
async def test_a_next_page_that_is_no_address_is_no_page(
    serve: Serve, connect: Connect, link: str
) -> None:
    def page(_: web.Request) -> web.Response:
        return web.json_response({"tags": ["1"]}, headers={"Link": link})

    async with serve(page) as host, connect(host) as client:
        assert await client.tags("a/b") == ("1",)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://r.example:99999/x", "no usable Location (***)"),
        ("http://[x", "no usable Location (***)"),
        ("https://xn--a.example/x", "no usable Location (https://xn--a.example/x)"),
        ("ftp://r.example/x", "no usable Location (ftp://r.example/x)"),
        ("", "no Location"),
    ],
)
async def test_a_location_that_leads_nowhere_is_the_registrys_fault(
    serve: Serve, connect: Connect, location: str, said: str
) -> None:
    headers = {"Location": location} if location else {}
    async with (
        serve(lambda _: web.Response(status=202, headers=headers)) as host,
        connect(host) as client,
    ):
        with pytest.raises(RegistryError) as caught:
            await client.upload_blob("a/b", BlobInPieces(b"x"), name="layer 1 of 2")
    assert caught.value.message == f"{host} answered for layer 1 of 2 of a/b with {said}"


@pytest.mark.parametrize("named", ["garbage", f"sha512:{'a' * 128}", ""])
async def test_a_digest_that_cannot_be_read_is_looked_into(
    serve: Serve, connect: Connect, named: str
) -> None:
    """As where none is told: the content tells."""

    def answer(request: web.Request) -> web.Response:
        headers = {} if request.method == "GET" else {"Docker-Content-Digest": named}
        if request.method == "PUT":
            return web.Response(status=201, headers=headers)
        kind = MANIFEST.media_type
        return web.Response(body=MANIFEST.content, content_type=kind, headers=headers)

    async with serve(answer) as host, connect(host) as client:
        assert await client.head_manifest("a/b", "t") == MANIFEST.digest
        assert await client.put_manifest("a/b", "t", MANIFEST) == MANIFEST.digest


async def test_a_digest_that_is_another_is_told_with_who_named_it(
    serve: Serve, connect: Connect
) -> None:
    def answer(_: web.Request) -> web.Response:
        headers = {"Docker-Content-Digest": "garbage"}
        kind = MANIFEST.media_type
        return web.Response(body=MANIFEST.content, content_type=kind, headers=headers)

    async with serve(answer) as host, connect(host) as client:
        with pytest.raises(ContentMismatch) as caught:
            await client.get_manifest("a/b", "t")
    assert caught.value.message == (
        f"{host} answered for manifest t of a/b with the digest garbage, but it is "
        f"{MANIFEST.digest}"
    )


async def test_a_mount_that_was_not_done_after_all_becomes_an_upload(connect: Connect) -> None:
    blob = BlobInPieces(b"x")
    plan = Script([on("POST uploads", Answer(status=201), path="mount=")])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        delivery = await client.upload_blob("a/b", blob, digest=blob.digest, mount_from=["c/d"])
        assert await client.blob_exists("a/b", blob.digest)
    assert delivery.route == "sent"


@pytest.mark.parametrize("token", ["two\nlines", "nul\0", ""])
async def test_a_token_that_is_none_is_the_token_servers_fault(
    connect: Connect, token: str
) -> None:
    auth = TokenAuth(mint=lambda *_: token)
    async with (
        faulty_registry(auth=auth) as registry,
        connect(registry.host, credential=BOB) as client,
    ):
        with pytest.raises(RegistryDenied) as caught:
            await client.tags("a/b")
    assert caught.value.message == (
        f"{registry.host} gave no token for the list of tags of a/b at {registry.host}: there is "
        "none in its answer (HTTP 200 OK)"
    )


async def test_a_token_under_another_name_is_not_shown(connect: Connect) -> None:
    class Unusual(TokenAuth):
        async def answer(self, request: web.Request) -> web.StreamResponse:
            return web.json_response({"accessToken": "ey-secret"})

    async with (
        faulty_registry(auth=Unusual()) as registry,
        connect(registry.host, credential=BOB) as client,
    ):
        with pytest.raises(RegistryDenied) as caught:
            await client.tags("a/b")
    assert "ey-secret" not in f"{caught.value.message} {caught.value.detail}"


CUT = (
    "try later, raise --push-retries, or find out what cuts connections to {host}: a proxy, a "
    "firewall or a load balancer may have limits"
)


async def test_silence_is_told_with_what_to_do(connect: Connect) -> None:
    plan = Script([on("POST uploads", Late(pause=5), times=None)])
    limits = Limits(idle=0.1, retries=1)
    async with (
        faulty_registry(plan=plan) as registry,
        connect(registry.host, limits=limits) as client,
    ):
        with pytest.raises(RegistryUnavailable) as caught:
            await client.upload_blob("a/b", BlobInPieces(b"x"), name="layer 1 of 2")
    assert caught.value.message == (
        f"{registry.host}: layer 1 of 2 of a/b: no byte moved for 0.1 s (gave up after 2 attempts "
        "in 0.5 s)"
    )
    assert caught.value.hint == CUT.format(host=registry.host)
    assert caught.value.repository == "a/b"


@pytest.mark.parametrize(
    ("refused", "hint"),
    [
        (
            Answer(status=400, code=Code.MANIFEST_INVALID, message="manifest invalid"),
            "the registry may know Docker's manifests only: push with --format docker "
            "(a pipeline: --push-format docker)",
        ),
        (
            Answer(status=400, code=Code.TAG_INVALID, message="the repository is Immutable"),
            "the tag is there already and must not change; push under another one",
        ),
        (
            Answer(
                status=400,
                code=Code.BLOB_UPLOAD_INVALID,
                message="Repository does not allow updating assets: docker-hosted",
            ),
            "the tag is there already and must not change; push under another one",
        ),
        (
            Answer(
                status=400,
                code=Code.MANIFEST_INVALID,
                message="cannot update tag 1. The repository has enabled tag immutability",
            ),
            "the tag is there already and must not change; push under another one",
        ),
        (
            Answer(status=409, message="conflict"),
            "the tag is there already and must not change; push under another one",
        ),
    ],
    ids=["kind", "immutable", "updating", "immutability", "conflict"],
)
async def test_a_refused_manifest_is_told_with_what_to_do(
    connect: Connect, refused: Answer, hint: str
) -> None:
    oci = image_manifest(Descriptor.of(b"{}", OCI_CONFIG), [], fmt=Format.OCI)
    plan = Script([on("PUT manifest", refused)])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        with pytest.raises(RegistryError) as caught:
            await client.put_manifest("a/b", "t", oci)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("layer", "fmt", "hint"),
    [
        (
            f"{OCI_LAYER}+zstd",
            Format.OCI,
            "the registry may not know layers packed with zstd: push with --compression gzip",
        ),
        (
            f"{DOCKER_LAYER}.gzip",
            Format.DOCKER,
            "the registry may know OCI's manifests only: push with --format oci "
            "(a pipeline: --push-format oci)",
        ),
    ],
)
async def test_a_kind_of_image_that_is_not_known_is_told_with_another(
    connect: Connect, layer: str, fmt: Format, hint: str
) -> None:
    """zstd has no place in Docker's manifests; zot takes OCI's only (project-zot/zot#3104)."""
    refused = Answer(status=415, code=Code.MANIFEST_INVALID, message="manifest invalid")
    config, layers = Descriptor.of(b"{}", fmt.config_type), [Descriptor.of(b"x", layer)]
    plan = Script([on("PUT manifest", refused)])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        with pytest.raises(RegistryError) as caught:
            await client.put_manifest("a/b", "t", image_manifest(config, layers, fmt=fmt))
    assert caught.value.hint == hint


async def test_a_header_may_be_as_long_as_a_signed_address_gets(
    serve: Serve, connect: Connect
) -> None:
    """Object stores sign with whole session tokens; Go's clients take up to 10 MB."""

    def answer(_: web.Request) -> web.Response:
        return web.json_response({"tags": ["1"]}, headers={"X-Signed": "s" * 50_000})

    async with serve(answer) as host, connect(host) as client:
        assert await client.tags("a/b") == ("1",)


@pytest.mark.parametrize("status", [404, 405])
async def test_a_host_that_is_no_registry_is_told_as_such(connect: Connect, status: int) -> None:
    """As for an image called after a company's web site."""
    rules = [
        on("GET base", Answer(status=404), times=None),
        on("POST uploads", Answer(status=status), times=None),
    ]
    async with faulty_registry(plan=Script(rules)) as site, connect(site.host) as client:
        with pytest.raises(RegistryError) as caught:
            await client.check_push("app")
    assert caught.value.hint == (
        f"no registry seems to answer at {site.host}: it says 404 to GET /v2/; check the host in "
        "the image's name"
    )


async def test_a_wrong_digest_for_a_blob_is_looked_into(
    connect: Connect, stream: Callable[..., BlobSource]
) -> None:
    plan = Script([on("PUT upload", WrongDigest())])
    async with faulty_registry(plan=plan) as registry, connect(registry.host) as client:
        delivery = await client.upload_blob("a/b", stream(b"x"))
        assert await content_of(client, "a/b", delivery.digest) == b"x"


async def test_a_wrong_digest_for_a_manifest_that_is_insisted_on_is_an_error(
    connect: Connect,
) -> None:
    rules = [on("PUT manifest", WrongDigest()), on("HEAD manifest", WrongDigest())]
    async with (
        faulty_registry(plan=Script(rules)) as registry,
        connect(registry.host) as client,
    ):
        manifest = await tiny_image(client, "a/b")
        with pytest.raises(ContentMismatch, match="0000"):
            await client.put_manifest("a/b", "t", manifest)


async def test_a_manifest_that_was_changed_is_refused(connect: Connect) -> None:
    async with faulty_registry() as registry, connect(registry.host) as client:
        manifest = await tiny_image(client, "a/b")
        await client.put_manifest("a/b", "t", manifest)
        registry.plan = Script([on("GET manifest", WrongDigest())])
        with pytest.raises(ContentMismatch):
            await client.get_manifest("a/b", "t")


@pytest.mark.parametrize("realm", ["https://xn--/token", "http://[x", "ftp://r.example/token"])
async def test_a_token_server_without_an_address_is_the_registrys_fault(
    serve: Serve, connect: Connect, realm: str
) -> None:
    headers = {"WWW-Authenticate": f'Bearer realm="{realm}",service="r"'}
    async with (
        serve(lambda _: web.Response(status=401, headers=headers)) as host,
        connect(host) as client,
    ):
        with pytest.raises(RegistryError, match="a token server with no usable address"):
            await client.tags("a/b")
