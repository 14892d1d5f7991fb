"""The contract of the port: images, builds and health checks of images, on every engine."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from longshore.engine.spec import BuildSpec, Exit, Health
from longshore.errors import BuildFailed, EngineError, NotFound, PullFailed
from longshore.testing.engine_bench import Bench, created, lived
from longshore.testing.engine_script import FakeBuild, FakeImage, FakeProgram, out

BASE = "longshore-contract:1"


def _spec(context: Path, dockerfile: str, *tags: str) -> BuildSpec:
    path = context / "Dockerfile"
    path.write_text(dockerfile)
    return BuildSpec(context=context, dockerfile=path, tags=tags)


async def test_a_build_gives_the_id_that_its_tags_name(bench: Bench, context: Path) -> None:
    text = f"FROM {BASE}\nENV A=b\n"
    spec = _spec(context, text, "contract-built:1", "contract-built:2")
    image = FakeImage(environment=(("A", "b"),), layers=({},))
    bench.expect_build(spec, FakeBuild(image=image, lines=("Step 1/2",)))
    lines: list[str] = []
    built = await bench.engine.build(spec, lines.append)
    assert built.startswith("sha256:")
    assert lines
    assert not any("\n" in line for line in lines)
    for tag in spec.tags:
        info = await bench.engine.inspect_image(tag)
        assert info is not None
        assert info.id == built
        assert ("A", "b") in info.environment
        assert info.diff_ids
        await bench.engine.remove_image(tag)
    assert await bench.engine.inspect_image("contract-built:1") is None
    assert await bench.engine.inspect_image(built) is None


async def test_a_failed_step_fails_the_build(bench: Bench, context: Path) -> None:
    spec = _spec(context, f"FROM {BASE}\nRUN exit 7\n", "contract-failed:1")
    bench.expect_build(spec, FakeBuild(fails="returned a non-zero code: 7"))
    with pytest.raises(BuildFailed, match=r"code: 7"):
        await bench.engine.build(spec, lambda line: None)
    assert await bench.engine.inspect_image("contract-failed:1") is None


async def test_a_missing_dockerfile_is_named(bench: Bench, context: Path) -> None:
    spec = BuildSpec(context=context, dockerfile=context / "None.dockerfile", tags=())
    with pytest.raises(BuildFailed, match=r"None\.dockerfile"):
        await bench.engine.build(spec, lambda line: None)


async def test_a_cancelled_build_leaves_no_tag(bench: Bench, context: Path) -> None:
    spec = _spec(context, f"FROM {BASE}\nRUN echo going; sleep 1000\n", "contract-cancelled:1")
    bench.expect_build(spec, FakeBuild(lines=("going",), until=anyio.Event()))
    with anyio.CancelScope() as scope:

        def line(text: str) -> None:
            if text == "going":
                scope.cancel()

        await bench.engine.build(spec, line)
    assert scope.cancelled_caught
    assert await bench.engine.inspect_image("contract-cancelled:1") is None


async def test_tag_and_remove_image(bench: Bench, context: Path) -> None:
    spec = _spec(context, f"FROM {BASE}\nLABEL x=tag\n", "contract-tagged")
    bench.expect_build(spec, FakeBuild())
    built = await bench.engine.build(spec, lambda line: None)
    await bench.engine.tag(built, "localhost:5555/some/where:v1")
    info = await bench.engine.inspect_image("localhost:5555/some/where:v1")
    assert info is not None
    assert info.id == built
    await bench.engine.remove_image("localhost:5555/some/where:v1")
    await bench.engine.remove_image("contract-tagged:latest")
    with pytest.raises(NotFound):
        await bench.engine.tag("contract-tagged", "contract-other:1")
    with pytest.raises(NotFound):
        await bench.engine.remove_image("contract-tagged")


async def test_an_image_that_cannot_be_pulled_says_which(bench: Bench) -> None:
    with pytest.raises(PullFailed, match=r"localhost:1/no/such:image cannot be pulled"):
        await bench.engine.pull("localhost:1/no/such:image", None, lambda line: None)


async def _read(opening: AbstractAsyncContextManager[AsyncIterator[bytes]]) -> bytes:
    async with opening as stream:
        return b"".join([part async for part in stream])


async def test_an_unknown_image_is_none_and_cannot_be_exported(bench: Bench) -> None:
    assert await bench.engine.inspect_image("longshore-no-such:1") is None
    with pytest.raises(EngineError, match="longshore-no-such"):
        await _read(bench.engine.export("longshore-no-such:1"))


async def test_an_export_is_a_tar_with_a_manifest(bench: Bench, context: Path) -> None:
    (context / "file").write_text("content")
    spec = _spec(context, "FROM scratch\nCOPY file /\n", "contract-exported:1")
    bench.expect_build(spec, FakeBuild(image=FakeImage(layers=({"file": b"content"},))))
    built = await bench.engine.build(spec, lambda line: None)
    data = await _read(bench.engine.export("contract-exported:1"))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        (entry,) = json.load(manifest)
        assert entry["RepoTags"] == ["contract-exported:1"]
        assert len(entry["Layers"]) == 1
        config = archive.extractfile(entry["Config"])
        assert config is not None
        info = await bench.engine.inspect_image(built)
        assert info is not None
        assert tuple(json.load(config)["rootfs"]["diff_ids"]) == info.diff_ids
    await bench.engine.remove_image("contract-exported:1")


async def test_the_entrypoint_is_kept_cleared_or_replaced(bench: Bench, context: Path) -> None:
    text = f'FROM {BASE}\nENTRYPOINT ["echo", "image:"]\nCMD ["own"]\n'
    spec = _spec(context, text, "contract-entry:1")
    bench.expect_build(spec, FakeBuild())
    built = await bench.engine.build(spec, lambda line: None)

    async def printed(
        text: str, entrypoint: tuple[str, ...] | None, command: tuple[str, ...] | None
    ) -> bytes:
        made = bench.spec("", FakeProgram(output=(out(text),)))
        made = replace(made, image=built, entrypoint=entrypoint, command=command)
        return (await lived(bench.engine, made)).out

    assert await printed("image: own\n", None, None) == b"image: own\n"
    assert await printed("image: x\n", None, ("x",)) == b"image: x\n"
    assert await printed("y\n", (), ("echo", "y")) == b"y\n"
    assert await printed("z\n", ("echo", "z"), None) == b"z\n"
    assert await printed("z w\n", ("echo", "z"), ("w",)) == b"z w\n"
    await bench.engine.remove_image("contract-entry:1")


async def test_health_goes_from_starting_to_healthy_to_gone(bench: Bench, context: Path) -> None:
    check = "HEALTHCHECK --interval=1s --timeout=5s --retries=1 CMD test -f /tmp/ok"
    spec = _spec(context, f"FROM {BASE}\n{check}\n", "contract-health:1")
    bench.expect_build(spec, FakeBuild(image=FakeImage(has_health_check=True)))
    built = await bench.engine.build(spec, lambda line: None)
    info = await bench.engine.inspect_image(built)
    assert info is not None
    healths = (Health.UNHEALTHY, Health.HEALTHY)
    made = bench.spec(
        "sleep 2; touch /tmp/ok; sleep 1000", FakeProgram(health=healths, until=anyio.Event())
    )
    seen: list[Health] = []
    async with created(bench.engine, replace(made, image=built)) as container:
        await bench.engine.start(container)
        async for state in bench.engine.health(container):
            seen.append(state)
            if state is Health.HEALTHY:
                await bench.engine.kill(container)
        assert await bench.engine.wait(container) == Exit(code=137)
        again = [state async for state in bench.engine.health(container)]
    assert seen[-3:] == [Health.UNHEALTHY, Health.HEALTHY, Health.GONE]
    assert again == [Health.GONE]
    await bench.engine.remove_image("contract-health:1")


async def test_the_history_adds_up_to_the_image(bench: Bench, context: Path) -> None:
    spec = _spec(context, f"FROM {BASE}\nENV A=b\n", "contract-history:1")
    bench.expect_build(spec, FakeBuild(image=FakeImage(layers=({},))))
    built = await bench.engine.build(spec, lambda line: None)
    info = await bench.engine.inspect_image(built)
    assert info is not None
    sizes = await bench.engine.added_sizes(built)
    assert len(sizes) >= len(info.diff_ids)
    # A store that keeps layers packed tells the size of those.
    packed = (await bench.engine.info()).containerd_store
    assert sum(sizes) >= info.size if packed else sum(sizes) == info.size
    await bench.engine.remove_image("contract-history:1")
