"""The client against Debian's docker-registry (distribution 2.8): the same calls, real answers."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random

import pytest
import trustme

from longshore.errors import RegistryDenied, RegistryError, RegistryUnavailable
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Manifest, image_manifest
from longshore.oci.media_types import DOCKER_CONFIG, DOCKER_LAYER
from longshore.registry.blobs import BlobBytes, BlobSource
from longshore.registry.client import RegistryClient
from longshore.registry.limits import Limits
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret

Connect = Callable[..., RegistryClient]
MakeStream = Callable[..., BlobSource]
MakeBytes = Callable[..., bytes]
Real = Callable[..., AbstractAsyncContextManager[str]]
pytestmark = pytest.mark.registry

MEBIBYTE = 1 << 20
REPOSITORY = "team/app"
BOB = Credential(username="bob", password=Secret("pw-of-bob"), origin="the tests")
HTPASSWD = "bob:$2b$04$PSiom6ixCLdCRLaMYYDi2.EEl.muCiAA/BYTbX4AX.H3frSA3Orhq\n"


async def _push(client: RegistryClient, layer: BlobSource) -> Manifest:
    """One layer, a configuration and a manifest; returns what was pushed."""
    config = BlobBytes(b"{}")
    sent = await client.upload_blob(REPOSITORY, layer)
    await client.upload_blob(REPOSITORY, config, digest=config.digest)
    manifest = image_manifest(
        Descriptor.of(config.content, DOCKER_CONFIG),
        [Descriptor(media_type=DOCKER_LAYER, digest=sent.digest, size=sent.size)],
    )
    await client.put_manifest(REPOSITORY, "1.0", manifest)
    return manifest


async def _content(client: RegistryClient, digest: Digest) -> bytes:
    async with client.get_blob(REPOSITORY, digest) as data:
        return b"".join([piece async for piece in data])


async def test_an_image_goes_there_and_comes_back_the_same(
    real_registry: Real, connect: Connect, stream: MakeStream, some_bytes: MakeBytes
) -> None:
    blob = some_bytes(5 * MEBIBYTE)
    async with real_registry() as host, connect(host) as client:
        manifest = await _push(client, stream(blob))
        assert await client.head_manifest(REPOSITORY, "1.0") == manifest.digest
        assert await client.get_manifest(REPOSITORY, "1.0") == manifest
        assert await client.tags(REPOSITORY) == ("1.0",)
        assert await _content(client, manifest.layers[0].digest) == blob
        assert await client.mount("other/app", manifest.layers[0].digest, REPOSITORY)
        assert not await client.mount("other/app", Digest.of(b"no"), REPOSITORY)


@pytest.mark.parametrize("size", [0, 1, 1000, 3 * MEBIBYTE])
async def test_fixed_chunks_are_taken_in_order(
    real_registry: Real, connect: Connect, stream: MakeStream, some_bytes: MakeBytes, size: int
) -> None:
    blob = some_bytes(size)
    async with real_registry() as host, connect(host, limits=Limits(chunk_size=MEBIBYTE)) as client:
        client._line.chunking.streaming = False
        delivery = await client.upload_blob(REPOSITORY, stream(blob))
        assert await _content(client, delivery.digest) == blob


async def test_resets_at_random_bytes_end_in_the_right_digest(
    real_registry: Real,
    connect: Connect,
    stream: MakeStream,
    some_bytes: MakeBytes,
    breaking_line: Callable[..., AbstractAsyncContextManager[str]],
) -> None:
    blob = some_bytes(4 * MEBIBYTE)
    random = Random(5)
    limits = [random.randrange(200, 3 * MEBIBYTE) for _ in range(6)]
    async with real_registry() as host:
        async with (
            breaking_line(host, lambda: limits.pop() if limits else None) as line,
            connect(line, limits=Limits(retries=20)) as client,
        ):
            manifest = await _push(client, stream(blob))
        async with connect(host) as client:
            assert await client.head_manifest(REPOSITORY, "1.0") == manifest.digest
            assert await _content(client, Digest.of(blob)) == blob
    assert limits == []


async def test_htpasswd(
    real_registry: Real, connect: Connect, stream: MakeStream, tmp_path: Path
) -> None:
    users = tmp_path / "htpasswd"
    users.write_text(HTPASSWD)
    more = f"auth:\n  htpasswd: {{realm: r, path: {users}}}\n"
    async with real_registry(more) as host:
        async with connect(host, credential=BOB) as client:
            await _push(client, stream(b"layer"))
        wrong = Credential(username="bob", password=Secret("x"), origin="an old file")
        async with connect(host, credential=wrong) as client:
            with pytest.raises(RegistryDenied, match="HTTP 401 Unauthorized") as caught:
                await client.head_manifest(REPOSITORY, "1.0")
        async with connect(host) as client:
            with pytest.raises(RegistryDenied, match="UNAUTHORIZED"):
                await client.upload_blob(REPOSITORY, stream(b"layer"))
    assert 'user "bob" from an old file' in str(caught.value.hint)


async def test_tls_with_a_private_authority(
    real_registry: Real, connect: Connect, stream: MakeStream, tmp_path: Path
) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")}
    authority.cert_pem.write_to_path(files["ca"])
    certificate.cert_chain_pems[0].write_to_path(files["cert"])
    certificate.private_key_pem.write_to_path(files["key"])
    http = f"  tls: {{certificate: {files['cert']}, key: {files['key']}}}\n"
    async with real_registry(http=http) as host:
        async with connect(host, authorities=[files["ca"]]) as client:
            assert (await client.ping()).scheme == "https"
            await _push(client, stream(b"layer"))
        directory = tmp_path / "by-host" / host
        directory.mkdir(parents=True)
        files["ca"].rename(directory / "ca.crt")
        async with connect(host, certificates=tmp_path / "by-host") as client:
            assert await client.tags(REPOSITORY) == ("1.0",)
        async with connect(host) as client:
            with pytest.raises(RegistryUnavailable, match="certificate is not trusted") as caught:
                await client.ping()
        assert f"/etc/docker/certs.d/{host}/ca.crt" in str(caught.value.hint)


async def test_a_read_only_registry_says_so(
    real_registry: Real, connect: Connect, stream: MakeStream
) -> None:
    more = "  maintenance: {readonly: {enabled: true}}\n"
    async with real_registry(storage=more) as host, connect(host) as client:
        with pytest.raises(RegistryError, match="Method not allowed") as caught:
            await client.upload_blob(REPOSITORY, stream(b"x"))
    assert caught.value.hint == f"{host} may be read-only"


async def test_nobody_listening_is_told_at_once(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    async with connect(f"127.0.0.1:{port}") as client:
        with pytest.raises(RegistryUnavailable, match=r"connection refused\) \(gave up after 1 at"):
            await client.ping()
