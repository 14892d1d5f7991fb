"""Who may do what, and who is trusted: anonymous, htpasswd, tokens, private authorities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import aiohttp
import pytest

from longshore.errors import RegistryDenied, RegistryUnavailable
from longshore.oci.digest import Digest
from longshore.registry.client import RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.push import PushOptions, push
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.blob import BlobInPieces
from longshore.testing.pulled import pull
from longshore.testing.registry_auth import BasicAuth, TokenAuth
from longshore.testing.registry_bench import FreeTime, RegistryBench, Wanted
from longshore.testing.stored import MemoryImage, MemoryLayer

from .conftest import Connect

MEBIBYTE = 1 << 20
REPOSITORY = "team/app"
USERS = {"bob": "pw-of-bob"}
READ, WRITE = "repository:team/app:pull", "repository:team/app:pull,push"


def bob(password: str = "pw-of-bob") -> Credential:
    return Credential(username="bob", password=Secret(password), origin="an old file")


@pytest.fixture(scope="module")
def image() -> MemoryImage:
    """Three layers, the largest of 3 MB that do not pack."""
    sizes = (10_000, 3_000_000, 300_000)
    return MemoryImage([MemoryLayer(Random(size).randbytes(size)) for size in sizes])


async def pushed(client: RegistryClient, image: MemoryImage) -> None:
    async with client as opened:
        await push(opened, REPOSITORY, ["t"], image, PushOptions(verify=True))


async def test_an_open_registry_takes_an_image_from_anybody(
    bench: RegistryBench, connect: Connect, image: MemoryImage
) -> None:
    async with bench.standing() as registry, aiohttp.ClientSession() as http:
        await pushed(connect(registry), image)
        there = await pull(http, registry.url, REPOSITORY, "t")
    assert there is not None
    assert there.is_image(image.parts)


# --- htpasswd ----------------------------------------------------------------------------------


async def test_who_is_in_the_htpasswd_file_pushes(
    bench: RegistryBench, connect: Connect, image: MemoryImage
) -> None:
    async with bench.standing(Wanted(auth=BasicAuth(users=USERS))) as registry:
        await pushed(connect(registry, bob()), image)
        async with connect(registry, bob()) as client:
            assert await client.tags(REPOSITORY) == ("t",)


@pytest.mark.parametrize("credential", [None, bob("wrong-pw")], ids=["none", "wrong"])
async def test_who_is_not_in_it_is_told_what_was_tried(
    bench: RegistryBench, connect: Connect, credential: Credential | None
) -> None:
    async with (
        bench.standing(Wanted(auth=BasicAuth(users=USERS))) as registry,
        connect(registry, credential) as client,
    ):
        with pytest.raises(RegistryDenied) as caught:
            await client.upload_blob(REPOSITORY, BlobInPieces(b"x"), name="layer 1 of 2")
        with pytest.raises(RegistryDenied, match=r"refused manifest t of team/app \(HTTP 401"):
            await client.head_manifest(REPOSITORY, "t")
    assert caught.value.message == (
        f"{registry.host} refused layer 1 of 2 of {REPOSITORY}: UNAUTHORIZED: authentication "
        "required (for pull, push) (HTTP 401 Unauthorized)"
    )
    assert caught.value.hint == (
        f"no credential for {registry.host} was found; add one with: docker login {registry.host}"
        if credential is None
        else f'tried user "bob" from an old file for {registry.host}; check that it is valid and '
        f"its rights of {REPOSITORY}"
    )


# --- tokens ------------------------------------------------------------------------------------


async def test_a_push_takes_one_token(
    bench: RegistryBench, connect: Connect, image: MemoryImage
) -> None:
    auth = TokenAuth(users=USERS)
    async with bench.standing(Wanted(auth=auth)) as registry:
        await pushed(connect(registry, bob()), image)
    assert auth.asked == [[WRITE]]


async def test_an_identity_token_is_exchanged(
    bench: RegistryBench, connect: Connect, image: MemoryImage
) -> None:
    auth = TokenAuth(users=USERS, refresh_tokens=frozenset({"of-bob"}))
    async with bench.standing(Wanted(auth=auth)) as registry:
        await pushed(connect(registry, Credential(identity_token=Secret("of-bob"))), image)
    assert auth.asked == [[WRITE]]


async def test_mounting_takes_a_token_for_both_repositories_the_pushed_one_first(
    bench: RegistryBench, connect: Connect
) -> None:
    auth = TokenAuth(users=USERS)
    async with (
        bench.standing(Wanted(auth=auth)) as registry,
        connect(registry, bob()) as client,
    ):
        digest = (await client.upload_blob("base/image", BlobInPieces(b"layer"))).digest
        assert await client.mount(REPOSITORY, digest, "base/image")
    base = "repository:base/image"
    assert auth.asked == [[f"{base}:pull,push"], [WRITE, f"{base}:pull"]]


async def test_a_repository_we_may_not_read_is_no_reason_to_fail(
    bench: RegistryBench, connect: Connect
) -> None:
    auth = TokenAuth(users=USERS, denied=frozenset({"repository:secret/base:pull"}))
    blob = BlobInPieces(b"x")
    async with (
        bench.standing(Wanted(auth=auth)) as registry,
        connect(registry, bob()) as client,
    ):
        delivery = await client.upload_blob(
            REPOSITORY, blob, digest=blob.digest, mount_from=["secret/base"]
        )
        assert await client.blob_exists(REPOSITORY, blob.digest)
    assert delivery.route == "sent"


async def test_a_token_that_would_end_during_the_upload_is_renewed_before_it_does(
    bench: RegistryBench, connect: Connect, time: FreeTime
) -> None:
    """Every piece takes four minutes of the client's time; a token lives for five."""
    blob = Random(3).randbytes(3 * MEBIBYTE)
    auth = TokenAuth(users=USERS, expires_in=300)

    class Slow(BlobInPieces):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for piece in super().__aiter__():
                time.waits.append(240)
                yield bytes(piece)

    async with (
        bench.standing(Wanted(auth=auth)) as registry,
        connect(registry, bob(), limits=Limits(chunk_size=MEBIBYTE)) as client,
    ):
        client._line.chunking.streaming = False
        await client.upload_blob(REPOSITORY, Slow(blob, MEBIBYTE))
    # One at the start, one for the first chunk after eight minutes of reading.
    assert auth.asked == [[WRITE], [WRITE]]


async def test_anonymous_may_look_where_the_public_may_but_not_push(
    bench: RegistryBench, connect: Connect
) -> None:
    auth = TokenAuth(users=USERS, public=frozenset({"pull"}))
    async with bench.standing(Wanted(auth=auth)) as registry, connect(registry) as client:
        assert not await client.blob_exists(REPOSITORY, Digest.of(b"x"))
        with pytest.raises(RegistryDenied) as caught:
            await client.upload_blob(REPOSITORY, BlobInPieces(b"x"), name="layer 1 of 2")
    assert caught.value.message == (
        f"{registry.host} refused layer 1 of 2 of {REPOSITORY}: UNAUTHORIZED: authentication "
        "required (for pull, push) (HTTP 401 Unauthorized)"
    )
    assert caught.value.hint == (
        f"no credential for {registry.host} was found; add one with: docker login {registry.host}"
    )


async def test_who_lacks_the_right_to_push_is_told_whose_rights_to_check(
    bench: RegistryBench, connect: Connect
) -> None:
    auth = TokenAuth(users=USERS, denied=frozenset({"repository:team/app:push"}))
    async with bench.standing(Wanted(auth=auth)) as registry, connect(registry, bob()) as client:
        with pytest.raises(RegistryDenied) as caught:
            await client.check_push(REPOSITORY)
    assert caught.value.message == (
        f"{registry.host} refused an upload of {REPOSITORY}: UNAUTHORIZED: authentication required "
        "(for pull, push) (HTTP 401 Unauthorized)"
    )
    assert caught.value.hint == (
        f'tried user "bob" from an old file for {registry.host}; check that it is valid and its '
        f"rights of {REPOSITORY}"
    )


async def test_a_wrong_password_is_refused_by_the_token_server_by_its_own_name(
    bench: RegistryBench, connect: Connect, real: bool
) -> None:
    async with (
        bench.standing(Wanted(auth=TokenAuth(users=USERS))) as registry,
        connect(registry, bob("wrong-pw")) as client,
    ):
        with pytest.raises(RegistryDenied) as caught:
            await client.head_manifest(REPOSITORY, "t")
    server, _, rest = caught.value.message.partition(" ")
    # Ours is its own token server; before the real one stands another.
    assert (server == registry.host) is not real
    assert rest == (
        f"gave no token for manifest t of {REPOSITORY} at {registry.host}: UNAUTHORIZED: incorrect "
        "username or password (HTTP 401 Unauthorized)"
    )
    assert caught.value.hint == (
        f'tried user "bob" from an old file for {registry.host}; check that it is valid and its '
        f"rights of {REPOSITORY}"
    )
    assert "wrong-pw" not in f"{caught.value.message}{caught.value.hint}"


# --- TLS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["by --registry-ca", "in certs.d"])
async def test_a_private_authority_that_is_named_is_trusted(
    bench: RegistryBench, connect: Connect, image: MemoryImage, tmp_path: Path, named: str
) -> None:
    async with bench.standing(Wanted(tls=True)) as registry:
        assert registry.authority is not None
        if named == "in certs.d":
            folder = tmp_path / "by-host" / registry.host
            folder.mkdir(parents=True)
            registry.authority.rename(folder / "ca.crt")
            client = connect(registry, certificates=tmp_path / "by-host")
        else:
            client = connect(registry, authorities=[registry.authority])
        await pushed(client, image)
        assert client._line.sender.origin is not None
        assert client._line.sender.origin.scheme == "https"


async def test_a_private_authority_that_is_not_named_is_said_how_to_name(
    bench: RegistryBench, connect: Connect, image: MemoryImage
) -> None:
    async with bench.standing(Wanted(tls=True)) as registry:
        with pytest.raises(RegistryUnavailable) as caught:
            await pushed(connect(registry), image)
    assert caught.value.message == (
        f"{registry.host}: the registry's API: its certificate is not trusted "
        "(unable to get local issuer certificate)"
    )
    assert caught.value.hint == (
        f"give its authority with --registry-ca FILE or as /etc/docker/certs.d/{registry.host}/"
        "ca.crt"
    )
