"""Which route an image of the engine takes, when its store can be read and when it cannot."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.port import Engine
from longshore.engine.spec import EngineInfo
from longshore.image.compression import CompressionOptions
from longshore.image.overlay2 import chain_ids
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression, Format
from longshore.registry.server.routes import Kind
from longshore.run.push.image_source import diff_ids_of
from longshore.run.push.settings import PusherChoice, PushSettings
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import TokenAuth

from .conftest import Pushing


async def test_what_the_engine_cannot_do_goes_through_its_export(pushing: Pushing) -> None:
    settings = PushSettings(
        compression=CompressionOptions(compression=Compression.NONE), format=Format.OCI
    )
    async with faulty_registry() as registry, pushing.engine() as engine:
        async with pushing.pusher(engine, settings) as pusher:
            done = await pusher.push(pushing.request(registry, [], "team/app:1", "team/app:2"))
        manifests = registry.requests("PUT", Kind.MANIFEST)
    assert not engine.pushed
    assert engine.methods().count("export") == 1
    assert len(manifests) == 2
    assert done[0].digest == done[1].digest


async def test_where_the_engines_push_fails_the_export_takes_over(pushing: Pushing) -> None:
    told: list[str] = []
    async with faulty_registry() as registry, pushing.engine() as engine:
        engine.push_failures[f"{registry.host}/team/app:1"] = "unexpected EOF"
        async with pushing.pusher(engine) as pusher:
            await pusher.push(pushing.request(registry, told))
        assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
    assert any("unexpected EOF; sending the layers ourselves instead" in line for line in told), (
        told
    )


def _half_readable_store(pushing: Pushing, root: Path) -> Path:
    """A data root of overlay2 with the image, of whose layers only the first can be read."""
    image, diff_ids = root / "image" / "overlay2", diff_ids_of(pushing.image.info)
    pairs = zip(chain_ids(diff_ids), diff_ids, strict=True)
    for place, (chain, diff_id) in enumerate(pairs):
        entry = image / "layerdb" / "sha256" / chain.hex
        entry.mkdir(parents=True)
        (entry / "cache-id").write_text(f"cache{place}")
        (entry / "diff").write_text(str(diff_id))
        (root / "overlay2" / f"cache{place}" / "diff").mkdir(parents=True)
        record = entry / "tar-split.json.gz"
        if place:
            record.mkdir()  # the one thing that root cannot read either
        else:
            tar = base64.b64encode(pushing.image.layer_tars[place]).decode()
            record.write_bytes(gzip.compress(f'{{"type":2,"payload":"{tar}"}}\n'.encode()))
    config = image / "imagedb" / "content" / "sha256" / pushing.image.id.removeprefix("sha256:")
    config.parent.mkdir(parents=True)
    config.write_bytes(pushing.image.config)
    return root


async def test_a_store_that_can_be_read_in_part_only_is_exported(
    pushing: Pushing, tmp_path: Path
) -> None:
    told: list[str] = []
    settings = PushSettings(pusher=PusherChoice.OWN, explain=True)
    async with faulty_registry() as registry, pushing.engine() as engine:
        root = _half_readable_store(pushing, tmp_path / "store")
        engine.engine_info = replace(pushing.local, storage_driver="overlay2", data_root=root)
        async with pushing.pusher(engine, settings) as pusher:
            await pusher.prepare(pushing.request(registry, told))
            assert engine.methods().count("export") == 1
            await pusher.push(pushing.request(registry, told))
        assert len(registry.requests("PUT", Kind.MANIFEST)) == 1
        sent = [one for one in registry.requests("PUT", Kind.UPLOAD) if one.status == 201]
    blobs = len(pushing.image.layers) + 1  # and the configuration
    assert len({one.path.partition("digest=")[2] for one in sent}) == blobs
    assert len(sent) <= blobs + 1  # the first, if the failure of the second cut off its sending
    why = next(line for line in told if "tar-split" in line and "Is a directory" in line)
    assert "exporting the image" in why


@pytest.mark.parametrize("tokens", [False, True])
async def test_nothing_changed_takes_three_requests_and_reads_nothing(
    pushing: Pushing, engine_endpoint: Endpoint, busybox_image: str, tokens: bool
) -> None:
    """On a real engine, whose store is read where we may."""
    auth = TokenAuth() if tokens else None
    async with faulty_registry(auth=auth) as registry, connect(engine_endpoint) as engine:
        image = await engine.inspect_image(busybox_image)
        assert image is not None
        request = replace(pushing.request(registry, []), image=image)
        async with pushing.pusher(engine) as pusher:
            first = await pusher.push(request)
        registry.recorded.clear()
        async with pushing.pusher(engine) as pusher:
            again = await pusher.push(request)
        asked = [(one.method, one.path) for one in registry.recorded]
    assert len(asked) <= 3, asked
    assert [one.digest for one in again] == [one.digest for one in first]
    assert again[0].summary.startswith("(0 layers sent, ")


def _containerd_store(pushing: Pushing, root: Path) -> Digest:
    """A data root of containerd's with the image, its layers packed; the digest of its manifest."""
    blobs = root / "containerd" / "io.containerd.content.v1.content" / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def kept(kind: str, content: bytes) -> dict[str, object]:
        digest = Digest.of(content)
        (blobs / digest.hex).write_bytes(content)
        media_type = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media_type, "digest": str(digest), "size": len(content)}

    tars = pushing.image.layer_tars
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": kept("config.v1+json", pushing.image.config),
        "layers": [kept("layer.v1.tar+gzip", gzip.compress(tar)) for tar in tars],
    }
    return Digest.parse(str(kept("manifest.v1+json", json.dumps(manifest).encode())["digest"]))


async def test_a_registry_is_asked_once_for_an_image_of_containerds_that_it_lacks(
    pushing: Pushing, tmp_path: Path
) -> None:
    identity = _containerd_store(pushing, tmp_path / "store")
    async with faulty_registry() as registry, pushing.engine() as engine:
        engine.engine_info = replace(
            pushing.local, data_root=tmp_path / "store", containerd_store=True
        )
        request = pushing.request(registry, [])
        request = replace(request, image=replace(request.image, id=str(identity)))
        async with pushing.pusher(engine) as pusher:
            (done,) = await pusher.push(request)
        assert len(registry.requests("GET", Kind.MANIFEST)) == 1
    assert done.digest == str(identity)


class _Elsewhere:
    """A real engine that says it is on another machine, and where its data is there or not."""

    def __init__(self, engine: Engine, *, tells: bool) -> None:
        self._engine = engine
        self._tells = tells

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    async def info(self) -> EngineInfo:
        there = await self._engine.info()
        return replace(there, local=False, data_root=there.data_root if self._tells else None)


async def test_a_real_engine_gives_the_same_layers_on_every_route(
    pushing: Pushing, engine_endpoint: Endpoint, busybox_image: str, tmp_path: Path
) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN, format=Format.DOCKER, explain=True)
    async with faulty_registry() as registry, connect(engine_endpoint) as engine:
        image = await engine.inspect_image(busybox_image)
        assert image is not None
        routes = {
            "directly": engine,
            "through the engine": cast(Engine, _Elsewhere(engine, tells=True)),
            "exporting": cast(Engine, _Elsewhere(engine, tells=False)),
        }
        digests = set()
        for place, (route, one) in enumerate(routes.items()):
            told: list[str] = []
            request = replace(pushing.request(registry, told, f"team{place}/app:1"), image=image)
            async with pushing.pusher(one, settings, tmp_path / str(place)) as pusher:
                digests |= {pushed.digest for pushed in await pusher.push(request)}
            assert any(route in line for line in told), told
    assert len(digests) == 1
