"""What a push tells afterwards: lines, errors, the metadata file."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from longshore.errors import EnginePushFailed, InvalidValue, RegistryError
from longshore.run.push.port import PushedImage
from longshore.run.push.settings import PusherChoice, PushSettings
from longshore.testing.engine_script import FakeImage
from longshore.testing.faults import FORBIDDEN, Late, Script, on
from longshore.testing.registry import faulty_registry

from .conftest import Pushing


async def test_a_layer_counts_as_sent_in_one_line_of_a_run(pushing: Pushing) -> None:
    base = pushing.image.layers[0]
    other = FakeImage(layers=(base, {"other": Random(3).randbytes(20_000)}))
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with faulty_registry() as registry, pushing.engine() as engine:
        engine.images[other.id] = other
        requests = [
            pushing.request(registry, []),
            pushing.request(registry, [], "team/app:2", "team/copy:2"),
            replace(pushing.request(registry, [], "team/app:other"), image=other.info),
        ]
        async with pushing.pusher(engine, settings) as pusher:
            done = [await pusher.push(request) for request in requests]
    counts = [one.summary.partition(" existing")[0] for group in done for one in group]
    assert counts == [
        "(2 layers sent, 0",
        "(0 layers sent, 2",
        "(0 layers sent, 2 mounted, 0",
        "(1 layer sent, 1",
    ]


async def test_errors_name_the_reference_in_the_words_of_the_original(pushing: Pushing) -> None:
    settings = PushSettings(pusher=PusherChoice.OWN)
    plan = Script([on("POST uploads", FORBIDDEN, times=None)])
    async with (
        faulty_registry(plan=plan) as registry,
        pushing.engine() as engine,
        pushing.pusher(engine, settings) as pusher,
    ):
        with pytest.raises(RegistryError) as caught:
            await pusher.push(pushing.request(registry, []))
    prefix = f"Image Push error for image {registry.host}/team/app:1, "
    assert caught.value.message.startswith(prefix)
    assert "DENIED: requested access to the resource is denied" in caught.value.message
    assert "no credential" in (caught.value.hint or "")


async def test_errors_name_the_tag_that_was_refused(pushing: Pushing) -> None:
    refused = Script([on("PUT manifest", FORBIDDEN, path="/2$", times=None)])
    settings = PushSettings(pusher=PusherChoice.OWN)
    async with (
        faulty_registry(plan=refused) as registry,
        pushing.engine() as engine,
        pushing.pusher(engine, settings) as pusher,
    ):
        with pytest.raises(RegistryError) as caught:
            await pusher.push(pushing.request(registry, [], "team/app:1", "team/app:2"))
    prefix = f"Image Push error for image {registry.host}/team/app:2, "
    assert caught.value.message.startswith(prefix)


async def test_a_metadata_file_of_before_is_gone_when_a_push_fails(
    pushing: Pushing, tmp_path: Path
) -> None:
    metadata = tmp_path / "pushed.json"
    metadata.write_text("of an earlier run")
    settings = PushSettings(pusher=PusherChoice.OWN, metadata_file=metadata)
    plan = Script([on("POST uploads", FORBIDDEN, times=None)])
    async with (
        faulty_registry(plan=plan) as registry,
        pushing.engine() as engine,
        pushing.pusher(engine, settings) as pusher,
    ):
        with pytest.raises(RegistryError):
            await pusher.push(pushing.request(registry, []))
    assert not metadata.exists()


async def test_a_metadata_file_where_this_user_may_not_look_is_told_before_anything_is_pushed(
    pushing: Pushing, locked: Path
) -> None:
    settings = PushSettings(metadata_file=locked / "pushed.json")
    with pytest.raises(InvalidValue, match=r"cannot write .*pushed\.json: Permission denied"):
        async with pushing.pusher(pushing.engine(), settings):
            pass


async def test_a_metadata_file_that_cannot_be_written_is_told_before_anything_is_pushed(
    pushing: Pushing,
) -> None:
    settings = PushSettings(metadata_file=Path("/proc/pushed.json"))
    with pytest.raises(InvalidValue, match=r"cannot write /proc/pushed\.json"):
        async with pushing.pusher(pushing.engine(), settings):
            pass


async def test_looking_whether_the_metadata_file_can_be_written_leaves_nothing(
    pushing: Pushing, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    async with pushing.pusher(pushing.engine(), PushSettings(metadata_file=folder / "p.json")):
        assert list(folder.iterdir()) == []


async def test_a_metadata_file_that_turns_out_to_be_full_hides_no_digest(
    pushing: Pushing,
) -> None:
    told: list[PushedImage] = []
    settings = PushSettings(pusher=PusherChoice.OWN, metadata_file=Path("/dev/full"))

    async def push() -> None:
        async with pushing.pusher(engine, settings) as pusher:
            request = pushing.request(registry, [], "team/app:1", "team/other:1")
            await pusher.push(replace(request, on_pushed=told.append))

    async with faulty_registry() as registry, pushing.engine() as engine:
        with pytest.raises(InvalidValue) as caught:
            await push()
    assert caught.value.message == "cannot write /dev/full: No space left on device"
    assert caught.value.hint == "the images are pushed all the same; name another file for the next"
    there = {str(one.reference) for one in told}
    assert there == {f"{registry.host}/team/{name}:1" for name in ("app", "other")}


async def test_what_was_pushed_is_in_the_metadata_file_though_another_repository_refused(
    pushing: Pushing,
    tmp_path: Path,
) -> None:
    metadata = tmp_path / "pushed.json"
    settings = PushSettings(pusher=PusherChoice.OWN, metadata_file=metadata)
    # A 429 would not do: the other repository waits as well, for it is the host's.
    plan = Script(
        [
            on("GET manifest", Late(pause=1), path="no/rights"),
            on("PUT manifest", FORBIDDEN, path="no/rights"),
        ]
    )
    async with (
        faulty_registry(plan=plan) as registry,
        pushing.engine() as engine,
        pushing.pusher(engine, settings) as pusher,
    ):
        with pytest.raises(RegistryError):
            await pusher.push(pushing.request(registry, [], "team/app:1", "no/rights:1"))
    pushes = json.loads(metadata.read_text())["pushes"]
    assert [one["repository"] for one in pushes] == [f"{registry.host}/team/app"]


async def test_a_tag_is_told_by_the_engines_push_though_it_failed_at_the_next(
    pushing: Pushing, tmp_path: Path
) -> None:
    metadata = tmp_path / "pushed.json"
    told: list[PushedImage] = []
    settings = PushSettings(pusher=PusherChoice.ENGINE, metadata_file=metadata)
    async with (
        faulty_registry() as registry,
        pushing.engine() as engine,
        pushing.pusher(engine, settings) as pusher,
    ):

        async def push(reference: str, image: FakeImage) -> str:
            if reference.endswith(":2"):
                raise EnginePushFailed("denied")
            return f"sha256:{'0' * 64}"

        engine.on_push = push
        request = pushing.request(registry, [], "team/app:1", "team/app:2")
        with pytest.raises(EnginePushFailed, match="team/app:2, denied"):
            await pusher.push(replace(request, on_pushed=told.append))
    assert [str(one.reference) for one in told] == [f"{registry.host}/team/app:1"]
    [entry] = json.loads(metadata.read_text())["pushes"]
    assert (entry["tags"], entry["digest"]) == (["1"], told[0].digest)
