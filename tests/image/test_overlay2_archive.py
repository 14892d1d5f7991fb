"""Layers that a real engine reads for us are the layers, to the byte, and nothing is left of it."""

from __future__ import annotations

import io
import os
import signal
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import anyio
import pytest
from msgspec.structs import replace

from longshore.engine.docker.engine import DockerEngine, connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import ImageInfo, ResourceKind
from longshore.image.compression import CompressionOptions
from longshore.image.layer import LayerSource
from longshore.image.pipeline import compressed
from longshore.oci.digest import Digest
from longshore.run.liveness import Liveness, ProcessIdentity
from longshore.run.push.engine_store import opened_through_engine
from longshore.run.scope import OWNER, OWNER_LABEL
from longshore.run.sweep import sweep
from longshore.testing.images import Layer, RandomLayer, TarLayer, layer_content
from longshore.testing.odd_layer import info, layer_below, odd_layer

pytestmark = pytest.mark.engine

OURS = {OWNER_LABEL: OWNER}


@pytest.fixture
async def engine(engine_endpoint: Endpoint) -> AsyncIterator[DockerEngine]:
    """Connected."""
    async with connect(engine_endpoint) as found:
        yield found


async def _things(engine: DockerEngine) -> set[str]:
    return {thing.id for thing in await engine.resources({})}


async def _contents(engine: DockerEngine, load: object, layers: list[Layer]) -> tuple[bytes, ...]:
    """The layers of an image, read with what is small in one archive, and without that."""
    assert callable(load)
    image = await engine.inspect_image(str(cast(Digest, load(layers))))
    assert image is not None
    assert len(image.directories) == len(layers)
    contents = await _contents_of(engine, image)
    assert await _contents_of(engine, replace(image, directories=())) == contents
    return contents


async def _contents_of(engine: DockerEngine, image: ImageInfo) -> tuple[bytes, ...]:
    """Each layer read through the engine, all side by side."""
    found: dict[int, bytes] = {}

    async def read(place: int, layer: LayerSource) -> None:
        found[place] = await layer_content(layer)

    before = await _things(engine)
    async with opened_through_engine(engine, image) as stored, anyio.create_task_group() as tasks:
        for place, layer in enumerate(stored.layers):
            tasks.start_soon(read, place, layer)
    assert await _things(engine) == before
    return tuple(found[place] for place in range(len(image.diff_ids)))


async def test_a_layer_with_every_kind_of_entry_is_put_together_byte_for_byte(
    engine: DockerEngine, load: object
) -> None:
    layers: list[Layer] = [layer_below(), odd_layer(), TarLayer(bytes(1024))]
    assert await _contents(engine, load, layers) == (
        layer_below().tar,
        odd_layer().tar,
        bytes(1024),
    )


def _tar(members: list[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.GNU_FORMAT) -> TarLayer:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, errors="surrogateescape") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return TarLayer(buffer.getvalue())


async def test_a_layer_in_another_order_than_the_walks_is_put_together(
    engine: DockerEngine, load: object
) -> None:
    members = [(info(f"dir/{number:03}"), b"%d" % number * 50) for number in range(300)]
    members += [(info("dir/"), b""), (info("above"), bytes(5 << 20)), (info("dir-a/x"), b"x")]
    members[300][0].type = tarfile.DIRTYPE
    layer = _tar(members[::-1])
    assert await _contents(engine, load, [layer]) == (layer.tar,)


async def test_hard_links_whose_first_name_the_walk_finds_last_are_put_together(
    engine: DockerEngine, load: object
) -> None:
    layer = _tar(
        [
            (info("z/first"), b"content"),
            (info("a/link", tarfile.LNKTYPE, linkname="z/first"), b""),
            (info("z/large"), bytes(6 << 20)),
            (info("b/link", tarfile.LNKTYPE, linkname="z/large"), b""),
        ]
    )
    assert await _contents(engine, load, [layer]) == (layer.tar,)


async def test_names_that_are_not_utf_8_are_put_together(
    engine: DockerEngine, load: object
) -> None:
    layer = _tar([(info("dir/\udcff\udcfe"), b"odd"), (info("dir/a\nb"), b"newline")])
    assert await _contents(engine, load, [layer]) == (layer.tar,)


async def test_layers_of_a_build_are_put_together(
    engine: DockerEngine, busybox_image: str, docker_command: tuple[str, ...], tmp_path: Path
) -> None:
    """Made by the engine itself, with files taken away and directories replaced."""
    (tmp_path / "Dockerfile").write_text(
        f"FROM {busybox_image}\n"
        "RUN mkdir /d && cd /d && echo a >a && ln a b && ln -s a c && mkdir old && echo x >old/x\n"
        "RUN rm -r /d/old && mkdir /d/old && echo y >/d/old/y && rm /d/a && mkfifo /d/fifo\n"
        "VOLUME /d\n"
    )
    classic = {**os.environ, "DOCKER_BUILDKIT": "0"}
    command = [*docker_command, "build", "-q", str(tmp_path)]
    made = (await anyio.run_process(command, env=classic)).stdout
    image = await engine.inspect_image(made.decode().strip())
    assert image is not None
    assert image.volumes == ("/d",)
    before = await _things(engine)
    async with opened_through_engine(engine, image) as stored:
        made_by_us = [one.kind for one in await engine.resources({}) if one.id not in before]
        assert made_by_us == [ResourceKind.CONTAINER], "and no volume of the image's"
        for layer in stored.layers:
            async with compressed(layer, CompressionOptions()) as packed:
                async for _ in packed:
                    pass
            assert packed.diff_id == layer.diff_id
    assert await _things(engine) == before
    await engine.remove_image(image.id)


async def test_leaving_a_layer_half_way_gives_the_container_back(
    engine: DockerEngine, load: object
) -> None:
    assert callable(load)
    layers: list[Layer] = [RandomLayer(content=60 << 20, seed=8)]
    image = await engine.inspect_image(str(load(layers)))
    assert image is not None
    async with opened_through_engine(engine, image) as stored:
        for _ in range(3):
            async with stored.layers[0].open() as blocks:
                await anext(aiter(blocks))
        assert len(await engine.resources(OURS)) == 1
    assert await engine.resources(OURS) == ()


_KILLED = """
import asyncio, os, signal, sys
from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import named_endpoint
from longshore.environment import Environment
from longshore.run.push.engine_store import opened_through_engine

async def main():
    endpoint = named_endpoint(Environment.of_process())
    async with connect(endpoint) as engine:
        image = await engine.inspect_image(sys.argv[1])
        async with opened_through_engine(engine, image):
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_the_container_of_a_killed_push_is_swept(
    engine: DockerEngine, engine_endpoint: Endpoint, load: object, tmp_path: Path
) -> None:
    assert callable(load)
    image = str(load([layer_below()]))
    command = [sys.executable, "-c", _KILLED, image]
    environment = {"DOCKER_HOST": engine_endpoint.url, "HOME": str(tmp_path)}
    done = await anyio.run_process(command, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(await engine.resources(OURS)) == 1
    assert await sweep(engine, Liveness(tmp_path, ProcessIdentity.of_this_process())) == 1
    assert await engine.resources(OURS) == ()
