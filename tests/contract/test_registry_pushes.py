"""Whole pushes into ours and into the real registry: both guarded, read-only, or on a full disk."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random

import aiohttp
import anyio.lowlevel
import pytest
import trustme

from longshore.environment import Environment
from longshore.errors import RegistryDenied, RegistryError, RegistryUnavailable
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.push import PushOptions, push
from longshore.registry.server.disk import DiskStorage
from longshore.registry.transport.retry import Clock
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.faults import read_only
from longshore.testing.pulled import pull
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import BasicAuth, TokenAuth
from longshore.testing.registry_process import RegistryProcess, Settings, run_registry
from longshore.testing.stored import MemoryImage, MemoryLayer

pytestmark = pytest.mark.registry
REPOSITORY = "team/app"
USERS = {"bob": "pw-of-bob"}
Start = Callable[[], AbstractAsyncContextManager[str]]
"""Starts a registry, the same in kind, and gives its host."""


def bob(password: str = "pw-of-bob") -> Credential:
    return Credential(username="bob", password=Secret(password), origin="the tests")


def client(
    host: str, credential: Credential | None = None, authorities: Sequence[Path] = ()
) -> RegistryClient:
    """Waits without waiting."""
    waited = [0.0]

    async def sleep(seconds: float) -> None:
        waited[0] += seconds
        await anyio.lowlevel.checkpoint()

    access = Access(environment=Environment({}), authorities=tuple(authorities))
    clock = Clock(now=lambda: waited[0], sleep=sleep)
    return RegistryClient(
        host=host, access=access, credential=credential, limits=Limits(retries=3), clock=clock
    )


@pytest.fixture(scope="module")
def image() -> MemoryImage:
    """Three layers, the largest of 6 MB that do not pack."""
    sizes = (10_000, 6_000_000, 300_000)
    return MemoryImage([MemoryLayer(Random(size).randbytes(size)) for size in sizes])


async def pushed(into: RegistryClient, image: MemoryImage, tag: str = "t") -> None:
    with anyio.fail_after(30):
        async with into as open_client:
            await push(open_client, REPOSITORY, [tag], image, PushOptions(verify=True))


@asynccontextmanager
async def process(folder: Path, settings: Settings) -> AsyncIterator[RegistryProcess]:
    with run_registry(folder, settings) as running:
        yield running


# --- users -------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["ours, basic", "ours, token", "docker-registry, htpasswd"])
async def test_only_who_may_push_pushes(which: str, image: MemoryImage, tmp_path: Path) -> None:
    async def check(host: str) -> None:
        for credential in (None, bob("wrong")):
            with pytest.raises(RegistryDenied) as caught:
                await pushed(client(host, credential), image)
            assert caught.value.status == 401
        await pushed(client(host, bob()), image)

    if which.startswith("docker"):
        async with process(tmp_path, Settings(users=USERS)) as running:
            await check(running.host)
        return
    auth = TokenAuth(users=USERS) if which.endswith("token") else BasicAuth(users=USERS)
    async with faulty_registry(auth=auth) as registry, aiohttp.ClientSession() as http:
        await check(registry.host)
        registry.auth = None
        there = await pull(http, registry.url, REPOSITORY, "t")
    assert there is not None
    assert there.is_image(image.parts)


# --- TLS ---------------------------------------------------------------------------------------


@asynccontextmanager
async def ours_with_tls(folder: Path) -> AsyncIterator[tuple[str, Path]]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    async with faulty_registry(tls=context) as registry:
        yield registry.host, folder / "authority.pem"


@asynccontextmanager
async def real_with_tls(folder: Path) -> AsyncIterator[tuple[str, Path]]:
    async with process(folder, Settings(tls=True)) as running:
        assert running.authority is not None
        yield running.host, running.authority


@pytest.mark.parametrize("start", [ours_with_tls, real_with_tls])
async def test_a_private_authority_has_to_be_named(
    start: Callable[[Path], AbstractAsyncContextManager[tuple[str, Path]]],
    image: MemoryImage,
    tmp_path: Path,
) -> None:
    async with start(tmp_path) as (host, authority):
        with pytest.raises(RegistryUnavailable, match="certificate is not trusted"):
            await pushed(client(host), image)
        await pushed(client(host, authorities=[authority]), image)


# --- read-only and full ------------------------------------------------------------------------


@pytest.mark.parametrize("real", [False, True])
async def test_a_read_only_registry_is_said_to_be_one(
    real: bool, image: MemoryImage, tmp_path: Path
) -> None:
    if real:
        async with process(tmp_path, Settings(read_only=True)) as running:
            with pytest.raises(RegistryError, match=r"405|not allowed") as caught:
                await pushed(client(running.host), image)
    else:
        async with faulty_registry(plan=read_only()) as registry:
            with pytest.raises(RegistryError, match=r"405|read-only") as caught:
                await pushed(client(registry.host), image)
    assert "may be read-only" in str(caught.value.hint)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    if os.geteuid():
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("real", [False, True])
async def test_a_full_disk_ends_the_push_and_leaves_the_tag(
    real: bool, image: MemoryImage, small_disk: Path, tmp_path: Path
) -> None:
    before = MemoryImage([MemoryLayer(Random(1).randbytes(50_000))])

    async def check(host: str, url: str) -> None:
        await pushed(client(host), before)
        with pytest.raises(RegistryError) as caught:
            await pushed(client(host), image)
        assert host in caught.value.message
        assert "layer 2 of 3" in caught.value.message
        async with aiohttp.ClientSession() as http:
            there = await pull(http, url, REPOSITORY, "t")
        assert there is not None
        assert there.is_image(before.parts)

    if real:
        async with process(tmp_path / "files", Settings(data=small_disk)) as running:
            await check(running.host, running.url)
    else:
        async with faulty_registry(storage=DiskStorage.open(small_disk)) as registry:
            await check(registry.host, registry.url)
