"""Every folder here is a pipeline with its expected outcome, on the fake and on a real engine.

``expected.toml``: ``proves``; one ``[[run]]`` or more, each with the words after ``longshore
steps``, the exit code, `lines` (whole lines, in this order, others may stand between), `anywhere`
(whole lines), `absent` (found in no line), `counts` (in how many lines a text is found) and
`outcomes` by step; and what containers do on the fake engine, one ``[[program]]`` each. Files are
copied first, so that steps may write.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from string import Template
from typing import Any

import anyio
import pytest

from longshore.cli import requests
from longshore.cli.steps_command import steps as steps_command
from longshore.commands.project import examined
from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import BuildSpec, ContainerSpec, Health, Resource
from longshore.errors import UsageError
from longshore.plan.focus import focused
from longshore.report.console import Console
from longshore.run.scope import PROJECT_LABEL, SERVICE_LABEL, STEP_LABEL
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeBuild, FakeImage, FakeProgram, out
from longshore.testing.scene import Scene

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/expected.toml"))
STAND_INS = ("redis", "postgres", "docker")
REGISTRY = "localhost:5000"
PROGRAM = Path(sys.executable).parent / "longshore"
_ENDS = {"success": "passed", "failed": "failed", "skipped": "skipped"}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One run of a scenario."""

    arguments: list[str] = field(default_factory=list)
    exit_code: int = 0
    lines: list[str] = field(default_factory=list)
    anywhere: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)

    def check(self, said: str, code: int) -> None:
        """Compare with what was said and the exit code, both shown when they differ."""
        lines = said.splitlines()
        assert code == self.exit_code, said
        assert ended(lines) == self.outcomes, said
        rest = iter(lines)
        for line in self.lines:
            assert any(line == other for other in rest), f"{line!r} is missing or late in:\n{said}"
        for line in self.anywhere:
            assert line in lines, f"{line!r} is missing in:\n{said}"
        for text in self.absent:
            assert text not in said
        for text, count in self.counts.items():
            assert sum(text in line for line in lines) == count, f"{text!r} in:\n{said}"
        assert "Traceback" not in said


def ended(lines: list[str]) -> dict[str, str]:
    """How each step ended, as the log tells it."""
    found = (re.match(r"\(step: (.*)\) (success|failed|skipped)", line) for line in lines)
    return {match[1]: _ENDS[match[2]] for match in found if match}


@dataclass
class Scenario:
    """A copied folder; `images` are those of the fake engine while it runs there."""

    directory: Path
    runs: list[Expected]
    programs: list[dict[str, Any]]
    images: dict[str, FakeImage] = field(default_factory=dict)


def copied(folder: Path, target: Path, registry: str = REGISTRY) -> Scenario:
    """The scenario in `target`; the registry of the files becomes `registry`."""
    shutil.copytree(folder, target, dirs_exist_ok=True)
    for path in target.glob("*.*"):
        if path.suffix in {".yml", ".json", ".toml"}:
            path.write_text(path.read_text().replace(REGISTRY, registry))
    expected = tomllib.loads((target / "expected.toml").read_text())
    assert expected["proves"]
    runs = [Expected(**run) for run in expected["run"]]
    return Scenario(target, runs, expected.get("program", []))


each_scenario = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
"""One test a folder, named after it."""


# on the fake engine


@each_scenario
async def test_on_the_fake_engine(folder: Path, tmp_path: Path) -> None:
    scenario = copied(folder, tmp_path / "project")
    for expected in scenario.runs:
        said, code = await _on_fake(scenario, expected.arguments)
        expected.check(said, code)


async def _on_fake(scenario: Scenario, arguments: list[str]) -> tuple[str, int]:
    words = ["--dir", str(scenario.directory), *arguments]
    request = requests.steps(steps_command.make_context("steps", words).params)
    try:
        plan = examined(request.project, request.facts, request.selection).plan
    except UsageError as error:
        return f"Error: {error.message}\n", 2
    assert plan is not None
    scene = Scene(
        scenario.directory,
        _stand_ins(scenario),
        options=request.session.run,
        image_options=request.session.images,
        selection=request.selection,
        facts=request.facts,
        command_line=request.session.env,
        prepare=partial(_give_builds, scenario),
    )
    ran = await scene.run_plan(focused(plan, request.selection))
    shown = [Console().render(event) for event in ran.events]
    said = b"".join(lines.out for lines in shown).decode()
    return said + "".join(lines.err for lines in shown), int(not ran.result.passed)


def _stand_ins(scenario: Scenario) -> dict[str, FakeImage]:
    known = {"longshore-test/busybox:latest": _image("FROM scratch", scenario)}
    scenario.images = known
    for name in STAND_INS:
        text = (HERE / "images" / name / "Dockerfile").read_text()
        known[f"longshore-test/{name}:latest"] = _image(text, scenario)
    return known


def _give_builds(scenario: Scenario, engine: FakeEngine) -> None:
    scenario.images = engine.images
    engine.builds = Dockerfiles(scenario, engine)


class Dockerfiles(dict[Path, FakeBuild]):
    """The builds of a folder, made of its Dockerfiles when they are asked for."""

    def __init__(self, scenario: Scenario, engine: FakeEngine) -> None:
        super().__init__()
        self.scenario = scenario
        self.engine = engine

    def get(self, path: Path, default: FakeBuild | None = None) -> FakeBuild:  # type: ignore[override]  # always finds one
        """What building that file gives: its image, or a failure for want of a file to copy."""
        text = path.read_text()
        asked = [call.detail for call in self.engine.calls if call.subject == str(path)]
        assert isinstance(asked[-1], BuildSpec)
        for name in re.findall(r"(?m)^COPY (\S+) ", text):
            if not (asked[-1].context / name).exists():
                return FakeBuild(fails=f"COPY failed: {name} does not exist")
        if re.search(r"(?m)^RUN (false|exit [1-9])", text):
            return FakeBuild(lines=("Step 2/2 : RUN",), fails="RUN returned a non-zero code: 1")
        first, *rest = text.splitlines()
        line = f"Step 1/{1 + len(rest)} : {first}"
        return FakeBuild(lines=(line,), image=_image(text, self.scenario))


def _image(text: str, scenario: Scenario) -> FakeImage:
    """The image of a Dockerfile, as far as the runner looks at images."""
    base = re.findall(r"(?m)^FROM (\S+)", text)[-1]
    below = scenario.images.get(base if ":" in base else f"{base}:latest", FakeImage())
    variables = dict(below.environment) | dict(re.findall(r"(?m)^ENV (\w+)=(.*)$", text))
    healthy = below.has_health_check or "HEALTHCHECK" in text
    return FakeImage(
        program=partial(_program, scenario, variables, healthy),
        environment=tuple(variables.items()),
        exposed_ports=below.exposed_ports
        + tuple(f"{port}/tcp" for port in re.findall(r"(?m)^EXPOSE (\d+)", text)),
        has_health_check=healthy,
        salt=text,
    )


def _program(
    scenario: Scenario, variables: dict[str, str], healthy: bool, spec: ContainerSpec
) -> FakeProgram:
    """What the first ``[[program]]`` that fits says; else it ends at once, or serves for ever."""
    script = next((p for p in scenario.programs if _fits(p, spec)), {})
    values = defaultdict(str, variables | dict(spec.environment))
    text = Template(script.get("output", "")).substitute(values)
    if "makes_image" in script:
        scenario.images[script["makes_image"]] = _image("FROM longshore-test/busybox", scenario)
    states = script.get("health", ["starting", "healthy"] if healthy else [])
    return FakeProgram(
        output=(out(text),) if text else (),
        exit_code=script.get("exit_code", 0) if _mounted(script, spec) else 1,
        resolves=tuple(script.get("resolves", ())),
        needs_files=tuple(script.get("needs_files", ())),
        writes=_writes(script, spec),
        health=tuple(Health(state) for state in states),
        until=anyio.Event() if script.get("stays", healthy) else None,
    )


def _writes(script: dict[str, Any], spec: ContainerSpec) -> dict[str, bytes]:
    """`writes` by path; `writes_argument` goes to the path in the command (spec P-30)."""
    files = dict(script.get("writes", {}))
    if "writes_argument" in script:
        values = defaultdict(str, spec.environment)
        text = Template(script["writes_argument"]).substitute(values)
        files[(spec.command or ("/nowhere",))[0]] = text
    return {path: content.encode() for path, content in files.items()}


def _fits(script: dict[str, Any], spec: ContainerSpec) -> bool:
    seen = {
        "service": spec.labels[SERVICE_LABEL],
        "step": spec.labels[STEP_LABEL],
        "command": " ".join(spec.command or ()),
    }
    return all(fnmatchcase(value, script.get(name, "*")) for name, value in seen.items())


def _mounted(script: dict[str, Any], spec: ContainerSpec) -> bool:
    return set(script.get("mounts", ())) <= {mount.container for mount in spec.mounts}


# on a real engine


@pytest.fixture(scope="session")
def stand_ins(
    engine_endpoint: Endpoint, busybox_image: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The images that stand in for services of the world, on the real engine."""
    for name in STAND_INS:
        context = tmp_path_factory.mktemp(name)
        shutil.copytree(HERE / "images" / name, context, dirs_exist_ok=True)
        if name == "docker":
            _compile(context / "engine.go", context / "engine")
        anyio.run(_build, engine_endpoint, context, f"longshore-test/{name}:latest")


def _compile(source: Path, target: Path) -> None:
    command = ["go", "build", "-o", str(target), str(source)]
    subprocess.run(command, check=True, env=os.environ | {"CGO_ENABLED": "0"}, timeout=100)


async def _build(endpoint: Endpoint, context: Path, name: str) -> None:
    spec = BuildSpec(context=context, dockerfile=context / "Dockerfile", tags=(name,))
    async with connect(endpoint) as engine:
        await engine.build(spec, lambda _: None)


@each_scenario
@pytest.mark.usefixtures("stand_ins")
def test_on_a_real_engine(
    folder: Path, tmp_path: Path, engine_endpoint: Endpoint, docker_registry_url: str
) -> None:
    registry = docker_registry_url.removeprefix("http://").replace("127.0.0.1", "localhost")
    scenario = copied(folder, tmp_path / "project", registry)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "DOCKER_HOST": engine_endpoint.url,
    }
    for expected in scenario.runs:
        done = subprocess.run(
            [PROGRAM, "steps", "--dir", str(scenario.directory), *expected.arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        expected.check(done.stdout + done.stderr, done.returncode)
    assert anyio.run(_left_of, engine_endpoint, scenario.directory) == ()


async def _left_of(endpoint: Endpoint, project: Path) -> tuple[Resource, ...]:
    async with connect(endpoint) as engine:
        return await engine.resources({PROJECT_LABEL: str(project)})
