"""The engine's store is read through containers that are never started, and that never stay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import anyio
import pytest
from msgspec.structs import replace

from longshore.engine.spec import EngineInfo, ImageInfo
from longshore.environment import Environment
from longshore.errors import EngineError, EngineUnavailable, NotFound
from longshore.image.layer import StoredImage
from longshore.image.overlay2 import chain_ids
from longshore.oci.digest import Digest
from longshore.run.push.engine_store import opened_through_engine, store_refusal
from longshore.run.scope import OWNER, OWNER_LABEL
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage
from longshore.testing.images import layer_content
from longshore.testing.overlay2_store import write_store

IMAGE = FakeImage(
    layers=(
        {"base/a": b"a", "base/b": Random(1).randbytes(300_000)},
        {"z": b"before", "a": b"after: the walk finds them the other way round"},
        {},
    ),
    volumes=("/data",),
)
FREE = Environment({})


def _info(data_root: Path | None) -> EngineInfo:
    return replace(FakeEngine().engine_info, storage_driver="overlay2", data_root=data_root)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[FakeEngine]:
    """One with an image whose store is on its disk."""
    write_store(tmp_path, IMAGE.config, IMAGE.layer_tars)
    images = {"app:latest": IMAGE}
    async with FakeEngine(images=images, engine_info=_info(tmp_path)) as found:
        yield found


async def _all(image: StoredImage) -> tuple[bytes, ...]:
    return tuple([await layer_content(layer) for layer in image.layers])


async def test_the_layers_are_those_of_the_image(engine: FakeEngine) -> None:
    async with opened_through_engine(engine, IMAGE.info) as image:
        assert image.parts.config == IMAGE.config
        assert await _all(image) == IMAGE.layer_tars
        assert await _all(image) == IMAGE.layer_tars


async def test_its_container_is_labelled_and_never_started_and_sees_its_own_parts_read_only(
    engine: FakeEngine, tmp_path: Path
) -> None:
    async with opened_through_engine(engine, IMAGE.info) as image:
        await _all(image)
        (container,) = engine.leftovers()
        assert container.labels[OWNER_LABEL] == OWNER
    spec = engine.container("longshore-store-").spec
    metadata = tmp_path / "image" / "overlay2"
    entries = {str(path) for path in metadata.glob("layerdb/sha256/*")}
    config = str(next(metadata.glob("imagedb/content/sha256/*")))
    assert {mount.host for mount in spec.mounts} == {*entries, config, str(tmp_path / "overlay2")}
    assert all(mount.read_only and mount.bare for mount in spec.mounts)
    assert "start" not in engine.methods()


async def test_everything_the_store_says_of_an_image_is_one_archive(engine: FakeEngine) -> None:
    """Each costs an engine 20.10 a process: for sixty layers that was half of the time."""
    async with opened_through_engine(engine, IMAGE.info) as image:
        await _all(image)
    assert engine.methods().count("read_file") == 1 + len(IMAGE.layers)


async def test_small_layers_come_with_what_the_store_says_of_the_image(
    engine: FakeEngine, tmp_path: Path
) -> None:
    image = _told_where(IMAGE, tmp_path)
    async with opened_through_engine(engine, image) as stored:
        assert await _all(stored) == IMAGE.layer_tars
    without_files = 1
    assert engine.methods().count("read_file") == 1 + without_files


async def test_hard_links_in_small_layers_cost_no_archive_of_their_own(
    engine: FakeEngine, tmp_path: Path
) -> None:
    """The walk finds a file by another name than the layer's record has, and empty ones by none."""
    image = _told_where(IMAGE, tmp_path)
    files = Path(image.directories[1])
    (files / "0").hardlink_to(files / "a")
    (files / "empty").touch()
    (files / "empty too").hardlink_to(files / "empty")
    async with opened_through_engine(engine, image) as stored:
        assert await _all(stored) == IMAGE.layer_tars
    without_files = 1
    assert engine.methods().count("read_file") == 1 + without_files


async def test_large_layers_and_those_far_below_are_fetched_when_they_are_wanted(
    tmp_path: Path,
) -> None:
    large = {"large": Random(2).randbytes(600_000)}
    many = FakeImage(
        layers=(*({f"{number}": b"x"} for number in range(4)), large, large | {"y": b"y"})
    )
    write_store(tmp_path, many.config, many.layer_tars)
    async with (
        FakeEngine(images={"app:latest": many}, engine_info=_info(tmp_path)) as engine,
        opened_through_engine(engine, _told_where(many, tmp_path)) as stored,
    ):
        assert await _all(stored) == many.layer_tars
        mounts = engine.container("longshore-store-").spec.mounts
    small = {mount.host for mount in mounts if "/small/" in mount.container}
    directories = _told_where(many, tmp_path).directories
    assert small == {directories[place] for place in (5, 3, 2, 1)}
    assert engine.methods().count("read_file") == 1 + 2


@pytest.mark.parametrize(
    "added",
    [
        pytest.param((0, 3_000_000, 0), id="one step of three made no layer"),
        pytest.param((0, 0), id="the history is one of other layers"),
    ],
)
async def test_layers_are_not_taken_for_small_where_the_history_does_not_tell_which_is(
    tmp_path: Path, added: tuple[int, ...]
) -> None:
    """The engine would send all of a large one, wanted or not."""
    large = {"large": Random(3).randbytes(3_000_000)}
    image = FakeImage(layers=(large, {}), added=added)
    write_store(tmp_path, image.config, image.layer_tars)
    async with (
        FakeEngine(images={"app:latest": image}, engine_info=_info(tmp_path)) as engine,
        opened_through_engine(engine, _told_where(image, tmp_path)),
    ):
        spec = engine.container("longshore-store-").spec
    assert not [mount for mount in spec.mounts if "/small/" in mount.container]


def _told_where(image: FakeImage, data_root: Path) -> ImageInfo:
    """What an engine tells of it that says where the files of its layers are."""
    found = replace(image.info, directories=())
    for chain in chain_ids([Digest.parse(text) for text in found.diff_ids]):
        directory = str(data_root / "overlay2" / chain.hex / "diff")
        found = replace(found, directories=(*found.directories, directory))
    return found


async def test_records_that_are_too_large_to_be_kept_are_fetched_when_they_are_wanted(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("longshore.image.overlay2_archive._KEPT", len(IMAGE.config) + 200)
    async with opened_through_engine(engine, IMAGE.info) as image:
        assert await _all(image) == IMAGE.layer_tars
    assert engine.methods().count("read_file") > 1 + len(IMAGE.layers)


async def test_a_small_layer_that_there_is_not_room_for_is_fetched_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a hundred files cannot be had one by one."""
    image = FakeImage(layers=({f"{number:03}": b"content" for number in range(250)},))
    write_store(tmp_path, image.config, image.layer_tars)
    monkeypatch.setattr("longshore.image.overlay2_archive._KEPT", 4000)
    async with (
        FakeEngine(images={"app:latest": image}, engine_info=_info(tmp_path)) as engine,
        opened_through_engine(engine, _told_where(image, tmp_path)) as stored,
    ):
        assert await _all(stored) == image.layer_tars
    assert engine.methods().count("read_file") == 1 + 1, "the whole directory once"


async def test_nothing_stays_not_even_volumes_of_the_image(engine: FakeEngine) -> None:
    async with opened_through_engine(engine, IMAGE.info) as image:
        await _all(image)
        assert not engine.volumes
    assert engine.leftovers() == ()


async def test_nothing_stays_of_a_layer_left_half_way(engine: FakeEngine) -> None:
    async with (
        opened_through_engine(engine, IMAGE.info) as image,
        image.layers[0].open() as blocks,
    ):
        await anext(aiter(blocks))
    assert engine.leftovers() == ()


async def test_nothing_stays_after_a_cancellation(engine: FakeEngine) -> None:
    with anyio.CancelScope() as scope:
        async with opened_through_engine(engine, IMAGE.info) as image:
            scope.cancel()
            await _all(image)
    assert scope.cancelled_caught
    assert engine.leftovers() == ()


async def test_layers_are_read_side_by_side_by_containers_of_their_own(engine: FakeEngine) -> None:
    """An engine locks a container while it gives a file of it."""
    async with opened_through_engine(engine, IMAGE.info) as image:
        async with image.layers[0].open() as one, image.layers[1].open() as two:
            first = await anext(aiter(one))
            second = b"".join([bytes(block) async for block in two])
            rest = b"".join([bytes(block) async for block in one])
        assert bytes(first) + rest == IMAGE.layer_tars[0]
        assert second == IMAGE.layer_tars[1]
        assert len(engine.leftovers()) == 2
        await _all(image)
        assert len(engine.leftovers()) == 2, "they are used again"
    assert engine.leftovers() == ()


async def test_an_engine_that_refuses_the_container_is_not_found(engine: FakeEngine) -> None:
    engine.failures["create"] = [EngineError("authorization denied by plugin", status=403)]
    with pytest.raises(NotFound, match="does not show its store: authorization denied"):
        async with opened_through_engine(engine, IMAGE.info):
            pass
    assert engine.leftovers() == ()


async def test_another_directory_than_the_engines_is_not_found(
    engine: FakeEngine, tmp_path: Path
) -> None:
    for root in ("nothing", "empty"):
        engine.engine_info = _info(tmp_path / root)
        if root == "empty":
            write_store(tmp_path / root, b'{"rootfs": {"diff_ids": []}}', ())
            (tmp_path / root / "overlay2").mkdir()
        with pytest.raises(NotFound):
            async with opened_through_engine(engine, IMAGE.info):
                pass
    assert engine.leftovers() == ()


async def test_a_damaged_configuration_is_not_found(engine: FakeEngine, tmp_path: Path) -> None:
    (config,) = (tmp_path / "image" / "overlay2" / "imagedb").rglob(IMAGE.id[7:])
    config.write_bytes(IMAGE.config + b" ")
    with pytest.raises(NotFound, match=r"not as expected: the configuration .* is damaged"):
        async with opened_through_engine(engine, IMAGE.info):
            pass


@pytest.mark.parametrize("name", ["cache-id", "diff", "tar-split.json.gz"])
async def test_a_layer_without_its_entry_is_not_found(
    engine: FakeEngine, tmp_path: Path, name: str
) -> None:
    for path in (tmp_path / "image" / "overlay2" / "layerdb").rglob(name):
        path.unlink()
    async with opened_through_engine(engine, IMAGE.info) as image:
        with pytest.raises(NotFound, match=name):
            await _all(image)
    assert engine.leftovers() == ()


@pytest.mark.parametrize("text", ["../../../etc", "\udcff", "\n"])
async def test_a_cache_id_that_is_no_name_is_not_found(
    engine: FakeEngine, tmp_path: Path, text: str
) -> None:
    for path in (tmp_path / "image" / "overlay2" / "layerdb").rglob("cache-id"):
        path.write_bytes(text.encode(errors="surrogateescape"))
    async with opened_through_engine(engine, IMAGE.info) as image:
        with pytest.raises(NotFound, match="not as expected"):
            await _all(image)


async def test_a_missing_file_is_not_found(engine: FakeEngine, tmp_path: Path) -> None:
    for path in (tmp_path / "overlay2").rglob("base/b"):
        path.unlink()
    async with opened_through_engine(engine, IMAGE.info) as image:
        with pytest.raises(NotFound, match="base/b"):
            await _all(image)


async def test_an_engine_that_goes_away_is_no_reason_to_try_another_way(
    engine: FakeEngine,
) -> None:
    async with opened_through_engine(engine, IMAGE.info) as image:
        engine.die()
        with pytest.raises(EngineUnavailable):
            await _all(image)


def test_what_cannot_be_read_so_is_told_in_words(tmp_path: Path) -> None:
    good = _info(tmp_path)
    assert store_refusal(good, FREE) is None
    assert store_refusal(replace(good, local=True), FREE) is None
    assert "fuse-overlayfs" in str(
        store_refusal(replace(good, storage_driver="fuse-overlayfs"), FREE)
    )
    assert "containerd" in str(store_refusal(replace(good, containerd_store=True), FREE))
    assert "where its store is" in str(store_refusal(_info(None), FREE))
    refused = Environment({"LONGSHORE_NO_STORE_CONTAINER": "1"})
    assert "LONGSHORE_NO_STORE_CONTAINER" in str(store_refusal(good, refused))
