"""What only the real adapter can show of builds: contexts, arguments, credentials, cancelling."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from longshore.engine.docker import buildx
from longshore.engine.docker.builder import Builder
from longshore.engine.docker.engine import DockerEngine, connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import BuildSpec
from longshore.environment import Environment
from longshore.errors import BuildFailed
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.engine_bench import RealBench, lived
from longshore.testing.engine_script import FakeProgram

pytestmark = pytest.mark.engine

TAG = "contract-docker-build:1"


async def _built(engine: DockerEngine, spec: BuildSpec) -> list[str]:
    lines: list[str] = []
    await engine.build(spec, lines.append)
    return lines


async def _files(real: RealBench, image: str) -> set[str]:
    spec = replace(
        real.spec("", FakeProgram()), image=image, command=("find", "/context", "-type", "f")
    )
    return set((await lived(real.engine, spec)).out.decode().split())


async def test_the_image_holds_what_dockerignore_leaves(
    real: RealBench, docker: DockerEngine, context: Path, tmp_path: Path
) -> None:
    (context / ".dockerignore").write_text("secret\n**/*.log\n!keep.log\n")
    (context / "sub").mkdir()
    for name in ("secret", "a.log", "keep.log", "sub/b.log", "sub/c"):
        (context / name).write_text(name)
    outside = tmp_path / "elsewhere.dockerfile"
    outside.write_text(f"FROM {real.image}\nCOPY . /context\n")
    spec = BuildSpec(context=context, dockerfile=outside, tags=(TAG,))
    await _built(docker, spec)
    sent = {"/context/.dockerignore", "/context/keep.log", "/context/sub/c"}
    assert await _files(real, TAG) == sent
    inside = context / "sub" / "Dockerfile"
    inside.write_text(outside.read_text())
    await _built(docker, replace(spec, dockerfile=inside))
    assert "/context/sub/Dockerfile" in await _files(real, TAG)


async def test_arguments_and_labels_arrive_and_an_unused_one_is_only_a_warning(
    real: RealBench, docker: DockerEngine, context: Path
) -> None:
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(f'FROM {real.image}\nARG PATHLIKE\nRUN echo "got $PATHLIKE"\n')
    arguments = (("PATHLIKE", "a=b c"), ("UNUSED", "x"))
    lines = await _built(
        docker,
        BuildSpec(
            context=context,
            dockerfile=dockerfile,
            tags=(TAG,),
            arguments=arguments,
            labels={"contract": "yes"},
            no_cache=True,
            credentials={"r:1": Credential(username="u", password=Secret("p"))},
        ),
    )
    assert "got a=b c" in lines
    assert any("not consumed" in line for line in lines)


ODD = (
    ("GIT_SHA", "abc"),
    ("AWS_REGION", "eu"),
    ("DOCKER_HOST", "tcp://in.the.image:1"),
    ("SSH_KEY", "line one\nline two"),
    ("LANG", "C"),
    ("HTTP_PROXY", "http://proxy.invalid:3128"),
    ("TEMPLATE", '${HOME} %{if} $$x "quoted" ä'),
    ("EMPTY", ""),
)


async def test_every_builder_there_is_makes_the_same_of_arguments_of_any_name(
    real: RealBench, engine_endpoint: Endpoint, context: Path
) -> None:
    dockerfile = context / "Dockerfile"
    names = [name for name, _ in ODD]
    dockerfile.write_text(
        f"FROM {real.image}\nWORKDIR /context\n"
        + "".join(f"ARG {name}\n" for name in names)
        + "RUN for name in " + " ".join(names)
        + "; do eval \"printf '%s=%s\\\\n' $name \\\"\\$$name\\\"\"; done >seen\n"
    )  # fmt: skip
    expected = "".join(f"{name}={value}\n" for name, value in ODD)
    for builder in await _builders():
        spec = BuildSpec(
            context=context, dockerfile=dockerfile, tags=(TAG,), arguments=ODD, no_cache=True
        )
        async with connect(engine_endpoint, builder=builder) as engine:
            built = await engine.build(spec, lambda line: None)
        made = await real.engine.inspect_image(built)
        assert made is not None, builder
        assert made == await real.engine.inspect_image(TAG)
        shown = replace(real.spec("", FakeProgram()), image=built, command=("cat", "/context/seen"))
        assert (await lived(real.engine, shown)).out.decode() == expected, builder


async def test_every_builder_there_is_sends_the_same_context(
    real: RealBench, engine_endpoint: Endpoint, context: Path, tmp_path: Path
) -> None:
    (context / ".dockerignore").write_text("general\n")
    for name in ("general", "own"):
        (context / name).touch()
    (tmp_path / "docker").mkdir()
    for dockerfile in (context / "Dockerfile", tmp_path / "docker" / "Other"):
        dockerfile.write_text(f"FROM {real.image}\nCOPY . /context\n")
    (context / "Dockerfile.dockerignore").write_text("own\n")
    (context / "Link").symlink_to("../docker/Other")
    files = {f"/context/{name}" for name in (".dockerignore", "Dockerfile.dockerignore")}
    outside = {*files, "/context/Dockerfile", "/context/own"}
    sent = {
        "Dockerfile": {*files, "/context/Dockerfile", "/context/general"},
        "../docker/Other": outside,
        "Link": outside,
    }
    for builder in await _builders():
        async with connect(engine_endpoint, builder=builder) as engine:
            for written, expected in sent.items():
                spec = BuildSpec(context=context, dockerfile=context / written, tags=(TAG,))
                built = await engine.build(spec, lambda line: None)
                assert await _files(real, built) == expected, (builder, written)


async def _builders() -> list[Builder]:
    """The classic builder, and BuildKit where its plugin is installed."""
    installed = await buildx.installed(Environment.of_process())
    return [Builder.CLASSIC, *([Builder.BUILDX] if installed else [])]


async def test_what_the_classic_builder_cannot_do_is_said(
    real: RealBench, docker: DockerEngine, context: Path
) -> None:
    (context / "Dockerfile").write_text(f"FROM {real.image}\n")
    spec = BuildSpec(context=context, dockerfile=context / "Dockerfile", tags=())
    with pytest.raises(BuildFailed, match="the engine's classic builder knows no build secrets"):
        await docker.build(replace(spec, secrets=(("id", "v"),)), lambda line: None)
    for instruction in ("RUN --mount=type=cache,target=/c true", "RUN <<EOF\ntrue\nEOF"):
        (context / "Dockerfile").write_text(f"FROM {real.image}\n{instruction}\n")
        with pytest.raises(BuildFailed) as raised:
            await docker.build(spec, lambda line: None)
        assert "buildx" in (raised.value.hint or ""), instruction
    (context / "Dockerfile").write_text("NONSENSE\n")
    with pytest.raises(BuildFailed, match="unknown instruction: NONSENSE"):
        await docker.build(spec, lambda line: None)


async def test_a_cancelled_build_stops_its_step_in_the_engine(
    real: RealBench, docker: DockerEngine, context: Path
) -> None:
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(f"FROM {real.image}\nRUN echo started; touch /tmp/x; exec sleep 4321\n")
    spec = BuildSpec(context=context, dockerfile=dockerfile, tags=(), labels={"mark": real.mark})
    with anyio.CancelScope() as scope:
        await docker.build(spec, lambda line: scope.cancel() if line == "started" else None)
    assert scope.cancelled_caught
    # The step's container carries the build's labels; it is gone when its process was killed.
    with anyio.fail_after(20):
        for container in await docker.resources({"mark": real.mark}):
            await docker.wait(container.id)


async def test_a_large_context_is_streamed_without_being_held_in_memory(
    real: RealBench, docker: DockerEngine, context: Path
) -> None:
    with (context / "large").open("wb") as file:
        file.truncate(300 << 20)
    (context / "Dockerfile").write_text(f"FROM {real.image}\nRUN true\n")
    spec = BuildSpec(context=context, dockerfile=context / "Dockerfile", tags=(TAG,))
    # Makes VmHWM begin anew (Linux, proc_pid_clear_refs(5)).
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    assert (await _built(docker, spec))[-1] == f"Successfully tagged {TAG}"
    assert _memory("VmHWM") - before < 64 << 20


def _memory(name: str) -> int:
    """Bytes of ours that are in memory now (VmRSS), or were at the most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))
