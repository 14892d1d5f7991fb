"""Registries that do not take what they are given: read-only ones, and full disks."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import aiohttp
import pytest

from longshore.errors import RegistryError
from longshore.oci.descriptor import Descriptor
from longshore.oci.manifest import image_manifest
from longshore.oci.media_types import DOCKER_CONFIG
from longshore.registry.client import RegistryClient
from longshore.registry.push import PushOptions, push
from longshore.testing.blob import BlobInPieces
from longshore.testing.pulled import pull
from longshore.testing.registry_bench import FreeTime, RegistryBench, Standing, Wanted
from longshore.testing.stored import MemoryImage, MemoryLayer

from .conftest import Connect

REPOSITORY = "team/app"
WRITES: dict[str, Callable[[RegistryClient], Awaitable[object]]] = {
    "layer 1 of 2": lambda client: client.upload_blob(
        REPOSITORY, BlobInPieces(b"x"), name="layer 1 of 2"
    ),
    "manifest t": lambda client: client.put_manifest(
        REPOSITORY, "t", image_manifest(Descriptor.of(b"{}", DOCKER_CONFIG), [])
    ),
    "an upload": lambda client: client.check_push(REPOSITORY),
}


@pytest.mark.parametrize("what", WRITES)
async def test_a_read_only_registry_is_said_to_be_one(
    bench: RegistryBench, connect: Connect, real: bool, what: str
) -> None:
    async with bench.standing(Wanted(read_only=True)) as registry, connect(registry) as client:
        with pytest.raises(RegistryError) as caught:
            await WRITES[what](client)
    words = "Method not allowed" if real else "UNSUPPORTED: the registry is read-only"
    assert caught.value.message == (
        f"{registry.host} refused {what} of {REPOSITORY}: {words} (HTTP 405 Method Not Allowed)"
    )
    assert caught.value.hint == f"{registry.host} may be read-only"


async def test_a_read_only_registry_is_read(
    bench: RegistryBench, connect: Connect, tmp_path: Path
) -> None:
    image = MemoryImage([MemoryLayer(b"layer")])
    async with bench.standing(Wanted(data=tmp_path)) as registry, connect(registry) as client:
        there = await push(client, REPOSITORY, ["t"], image, PushOptions())
    async with (
        bench.standing(Wanted(data=tmp_path, read_only=True)) as registry,
        connect(registry) as client,
    ):
        assert await client.get_manifest(REPOSITORY, "t") == there.manifest
        again = await push(client, REPOSITORY, ["t"], image, PushOptions(verify=True))
    assert again.sent == ()


# --- a full disk -------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB; mounting takes root, or sudo."""
    root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = [*root, "mount", "-t", "tmpfs", "-o", "size=4m,mode=1777", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    try:
        yield folder
    finally:
        subprocess.run([*root, "umount", "--lazy", folder], check=True)


async def test_a_disk_that_fills_up_ends_the_push_at_once_and_leaves_the_tag(
    bench: RegistryBench, connect: Connect, time: FreeTime, small_disk: Path
) -> None:
    before = MemoryImage([MemoryLayer(Random(1).randbytes(50_000))])
    image = MemoryImage([MemoryLayer(Random(n).randbytes(n)) for n in (10_000, 6_000_000, 300)])
    async with (
        bench.standing(Wanted(data=small_disk)) as registry,
        connect(registry) as client,
        aiohttp.ClientSession() as http,
    ):
        await push(client, REPOSITORY, ["t"], before, PushOptions())
        with pytest.raises(RegistryError) as caught:
            await push(client, REPOSITORY, ["t"], image, PushOptions())
        there = await pull(http, registry.url, REPOSITORY, "t")
    assert there is not None
    assert there.is_image(before.parts)
    # A server that closes with bytes unread resets the connection, and its answer may be lost with
    # it (RFC 9112, 9.6); asked again it says the same.
    del time.waits[:1]
    # Whatever is written in the moment in which the large one fills the disk may fail with it.
    what = re.search(r"refused (layer [123] of 3|the configuration)", caught.value.message)
    check_full(caught.value, what[1] if what else "layer 2 of 3", registry, time)


async def test_a_disk_that_is_full_already_ends_the_push_at_once(
    bench: RegistryBench, connect: Connect, time: FreeTime, small_disk: Path
) -> None:
    with suppress(OSError):
        (small_disk / "filler").write_bytes(bytes(5_000_000))
    image = MemoryImage([MemoryLayer(b"a small layer")])
    async with (
        bench.standing(Wanted(data=small_disk)) as registry,
        connect(registry) as client,
    ):
        with pytest.raises(RegistryError) as caught:
            await push(client, REPOSITORY, ["t"], image, PushOptions())
    # Both are sent at once, and either may be refused first.
    is_layer = "refused layer" in caught.value.message
    check_full(caught.value, "layer 1 of 1" if is_layer else "the configuration", registry, time)


def check_full(error: RegistryError, what: str, registry: Standing, time: FreeTime) -> None:
    # The real one names the file, by an id of its own.
    told = re.sub(r"(write|mkdir) /\S+: ", "", error.message)
    told = told.replace("UNKNOWN: unknown error", "UNKNOWN: the storage failed")
    assert told == (
        f"{registry.host} refused {what} of {REPOSITORY}: UNKNOWN: the storage failed "
        "(no space left on device) (HTTP 500 Internal Server Error)"
    )
    assert error.hint == f"the disk of {registry.host} is full; its owner has to free some space"
    assert time.waits == []
