"""The contract of the port: networks, volumes, files, health and listings, on every engine."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from longshore.engine.port import Engine
from longshore.engine.spec import Exit, Health, Mount, NetworkAttachment, ResourceKind
from longshore.errors import Conflict, EngineError, NotFound
from longshore.testing.engine_bench import LABEL, Bench, created, first, lived
from longshore.testing.engine_script import FakeProgram, out

UP = "echo up; exec sleep 1000"


def _up(**more: object) -> FakeProgram:
    return replace(FakeProgram(output=(out("up\n"),), until=anyio.Event()), **more)


async def _started(engine: Engine, container: str) -> None:
    async with engine.attach(container) as attachment:
        await engine.start(container)
        await first(aiter(attachment), lambda seen: b"up" in seen)


async def test_aliases_are_found_in_both_directions(bench: Bench) -> None:
    engine = bench.engine
    first_spec = bench.spec(UP, _up())
    mark = first_spec.labels[LABEL]
    network = await engine.create_network(f"contract-{first_spec.name}", {LABEL: mark})
    one = replace(first_spec, network=NetworkAttachment(network=network, aliases=("one",)))
    shell = "nslookup one >/dev/null && nslookup two >/dev/null && echo found"
    two = replace(
        bench.spec(shell, FakeProgram(resolves=("one", "two"), output=(out("found\n"),))),
        network=NetworkAttachment(network=network, aliases=("two", "zwei")),
    )
    assert await engine.finds_names(network)
    async with created(engine, one) as container:
        await _started(engine, container)
        life = await lived(engine, two)
    await engine.remove_network(network)
    await engine.remove_network(network)
    assert (life.exit, life.out) == (Exit(code=0), b"found\n")
    assert await bench.gone()


async def test_a_network_in_use_or_of_a_used_name_is_a_conflict(bench: Bench) -> None:
    spec = bench.spec(UP, _up())
    name = f"contract-{spec.name}"
    network = await bench.engine.create_network(name, spec.labels)
    with pytest.raises(Conflict):
        await bench.engine.create_network(name, spec.labels)
    async with created(
        bench.engine, replace(spec, network=NetworkAttachment(network=network))
    ) as container:
        await _started(bench.engine, container)
        with pytest.raises(Conflict):
            await bench.engine.remove_network(network)
    await bench.engine.remove_network(network)
    assert await bench.gone()


async def test_everything_labelled_is_listed_and_names_keep_their_slash(bench: Bench) -> None:
    spec = bench.spec("true", FakeProgram())
    mark = {LABEL: spec.labels[LABEL]}
    network = await bench.engine.create_network(f"contract-{spec.name}", spec.labels)
    async with created(bench.engine, spec) as container:
        found = {(r.kind, r.id, r.name) for r in await bench.engine.resources(mark)}
        assert found == {
            (ResourceKind.CONTAINER, container, f"/{spec.name}"),
            (ResourceKind.NETWORK, network, f"contract-{spec.name}"),
        }
        any_value = await bench.engine.resources({LABEL: ""})
        assert container in {resource.id for resource in any_value}
        assert await bench.engine.resources({LABEL: "another"}) == ()
        prefix = spec.name[:-1]
        named = await bench.engine.containers_named(prefix)
        assert [(r.id, r.labels[LABEL]) for r in named] == [(container, mark[LABEL])]
        assert await bench.engine.containers_named(spec.name[1:]) == ()
    await bench.engine.remove_network(network)


@pytest.mark.parametrize(
    "modes",
    [
        (),
        (
            "z",
            "cached",
            "rprivate",
        ),
    ],
)
async def test_a_host_directory_is_mounted(
    bench: Bench, tmp_path: Path, modes: tuple[str, ...]
) -> None:
    (tmp_path / "in").write_text("from the host")
    spec = replace(
        bench.spec(
            "cat /data/in && echo -n made > /data/sub-out",
            FakeProgram(
                needs_files=("/data/in",),
                output=(out("from the host"),),
                writes={"/data/sub-out": b"made"},
            ),
        ),
        mounts=(Mount(host=str(tmp_path), container="/data", modes=modes),),
    )
    life = await lived(bench.engine, spec)
    assert (life.exit, life.out) == (Exit(code=0), b"from the host")
    assert (tmp_path / "sub-out").read_bytes() == b"made"


async def test_anonymous_volumes_go_with_their_container(bench: Bench) -> None:
    spec = replace(bench.spec(UP, _up()), mounts=(Mount(host=None, container="/data"),))
    before = await _volumes(bench)
    async with created(bench.engine, spec):
        made = await _volumes(bench) - before
    assert made
    assert made.isdisjoint(await _volumes(bench))


async def _volumes(bench: Bench) -> set[str]:
    found = await bench.engine.resources({})
    return {r.id for r in found if r.kind is ResourceKind.VOLUME}


async def test_volumes_from_another_container_that_must_exist(bench: Bench) -> None:
    spec = replace(bench.spec(UP, _up()), mounts=(Mount(host=None, container="/data"),))
    user = bench.spec("test -d /data", FakeProgram())
    with pytest.raises(NotFound):
        await bench.engine.create(replace(user, volumes_from=("no-such-container",)))
    async with created(bench.engine, spec) as container:
        life = await lived(bench.engine, replace(user, volumes_from=(container,)))
        assert life.exit == Exit(code=0)


async def test_a_file_is_read_from_an_ended_container(bench: Bench) -> None:
    spec = bench.spec("echo -n content > /tmp/file", FakeProgram(writes={"/tmp/file": b"content"}))
    async with created(bench.engine, spec) as container:
        await bench.engine.start(container)
        await bench.engine.wait(container)
        async with bench.engine.read_file(container, "/tmp/file") as stream:
            data = b"".join([part async for part in stream])
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            file = archive.extractfile("file")
            assert file is not None
            assert file.read() == b"content"
        with pytest.raises(NotFound):
            async with bench.engine.read_file(container, "/tmp/none"):
                pass


async def test_a_host_directory_is_read_through_a_container_that_was_never_started(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "host" / "sub").mkdir(parents=True)
    (tmp_path / "host" / "sub" / "file").write_text("content")
    mount = Mount(host=str(tmp_path / "host"), container="/at", read_only=True, bare=True)
    spec = replace(bench.spec("true", FakeProgram()), mounts=(mount,))
    async with (
        created(bench.engine, spec) as container,
        bench.engine.read_file(container, "/at/sub") as stream,
    ):
        data = b"".join([part async for part in stream])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == ["sub", "sub/file"]
        file = archive.extractfile("sub/file")
        assert file is not None
        assert file.read() == b"content"


async def test_the_archive_of_a_directory_holds_what_is_mounted_into_it(
    bench: Bench, tmp_path: Path
) -> None:
    """`push/engine_store.py` fetches what it needs to know of an image so: all at once."""
    (tmp_path / "entry").mkdir()
    (tmp_path / "entry" / "file").write_text("content")
    (tmp_path / "config").write_text("configuration")
    mounts = tuple(
        Mount(host=str(tmp_path / name), container=f"/at/{place}", read_only=True, bare=True)
        for name, place in (("config", "config"), ("entry", "one"), ("entry", "two"))
    )
    spec = replace(bench.spec("true", FakeProgram()), mounts=mounts)
    async with (
        created(bench.engine, spec) as container,
        bench.engine.read_file(container, "/at") as stream,
    ):
        data = b"".join([part async for part in stream])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        files = [member.name for member in archive if member.isreg()]
    assert files == ["at/config", "at/one/file", "at/two/file"]


async def test_a_bare_mount_makes_no_directory_on_the_host(bench: Bench, tmp_path: Path) -> None:
    mount = Mount(host=str(tmp_path / "none"), container="/at", read_only=True, bare=True)
    spec = replace(bench.spec("true", FakeProgram()), mounts=(mount,))
    with pytest.raises(EngineError, match="does not exist"):
        await bench.engine.create(spec)
    assert not (tmp_path / "none").exists()
    assert await bench.gone()


async def test_health_of_a_container_without_check_is_none_and_ends(bench: Bench) -> None:
    async with created(bench.engine, bench.spec(UP, _up())) as container:
        await _started(bench.engine, container)
        assert [state async for state in bench.engine.health(container)] == [Health.NONE]
