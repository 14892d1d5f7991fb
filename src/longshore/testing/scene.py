"""A project's text run on the scriptable engine: how tests of pipelines are written."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.config.load import load, read_text
from longshore.config.model import Pairs
from longshore.environment import Environment
from longshore.plan.compile import compile_plan
from longshore.plan.facts import BuildFacts
from longshore.plan.model import Plan
from longshore.plan.selection import Selection
from longshore.run.credentials import CredentialOptions
from longshore.run.docker_access import docker_access
from longshore.run.events import ContainerOutput, Event, StepFinished, StepStarted
from longshore.run.execute import Setting, execute
from longshore.run.files import ProjectFiles
from longshore.run.images import ImageOptions
from longshore.run.liveness import ProcessIdentity
from longshore.run.outcome import Outcome
from longshore.run.push.port import EnginePusher, Pusher
from longshore.run.result import RunResult
from longshore.run.runtime import RunOptions
from longshore.run.scope import RunScope
from longshore.run.variables import Sources
from longshore.secrets.key_lookup import NO_DECRYPTOR, KeySource
from longshore.secrets.masking import Masker
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage

Kind = TypeVar("Kind")


class Ran(Struct):
    """A run that is over: its result, its events, and the engine it ran on."""

    result: RunResult
    events: list[Event]
    engine: FakeEngine

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Outcome by step name, of every step and group that ended, in that order."""
        return {e.name: e.outcome for e in self.events if isinstance(e, StepFinished)}

    @property
    def started(self) -> list[str]:
        """Names of steps and groups in the order they started."""
        return [event.name for event in self.events if isinstance(event, StepStarted)]

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def output(self, service: str) -> bytes:
        """Everything the containers of a service wrote."""
        blocks = (e for e in self.events if isinstance(e, ContainerOutput))
        return b"".join(block.data for block in blocks if block.service == service)


class Scene(Struct):
    """A project directory and an engine's images; `run` compiles and runs the two texts."""

    directory: Path
    images: dict[str, FakeImage] = field(default_factory=dict)
    options: RunOptions = field(default_factory=lambda: RunOptions(max_parallel=2, grace=0.1))
    image_options: ImageOptions = field(default_factory=ImageOptions)
    credentials: CredentialOptions = field(default_factory=CredentialOptions)
    selection: Selection = field(default_factory=Selection)
    facts: BuildFacts = field(default_factory=BuildFacts)
    host: Mapping[str, str] = field(default_factory=dict)
    command_line: Pairs = ()
    prepare: Callable[[FakeEngine], None] = lambda engine: None
    pusher: Callable[[FakeEngine], Pusher] = EnginePusher
    beside: Callable[[FakeEngine, anyio.CancelScope], Coroutine[Any, Any, None]] | None = None

    def plan(self, services: str, steps: str) -> Plan:
        """The compiled plan; the texts must be free of errors."""
        (self.directory / "codeship-services.yml").write_text(textwrap.dedent(services))
        (self.directory / "codeship-steps.yml").write_text(textwrap.dedent(steps))
        loaded = load(self.directory)
        assert loaded.project is not None, loaded.problems
        facts = replace(self.facts, host=self.host)
        compiled = compile_plan(loaded.project, facts, self.selection, read_text)
        assert compiled.plan is not None, compiled.problems
        return compiled.plan

    async def run(self, services: str, steps: str) -> Ran:
        """Run the project; whatever happens, nothing may be left on the engine."""
        return await self.run_plan(self.plan(services, steps))

    async def run_plan(self, plan: Plan) -> Ran:
        """Run a plan that was compiled already."""
        events: list[Event] = []
        interruption = anyio.CancelScope()
        async with FakeEngine() as engine, anyio.create_task_group() as group:
            # Images that differ only in what they do would have one id.
            engine.images.update({n: image.salted(n) for n, image in self.images.items()})
            self.prepare(engine)
            if self.beside is not None:
                group.start_soon(self.beside, engine, interruption)
            result = await execute(plan, self._setting(plan, engine, events), interruption)
            group.cancel_scope.cancel()
        if not engine.dead:
            assert engine.leftovers() == ()
        return Ran(result, events, engine)

    def _setting(self, plan: Plan, engine: FakeEngine, events: list[Event]) -> Setting:
        masker = Masker()
        environment = Environment({"HOME": str(self.directory), **self.host})
        keys = KeySource(environment=environment, directory=self.directory)
        files = ProjectFiles(lambda: keys.require(NO_DECRYPTOR), masker, lambda _: None)
        access = docker_access(environment)
        return Setting(
            engine=engine,
            scope=RunScope(project=plan.directory, process=ProcessIdentity.of_this_process()),
            options=self.options,
            emit=events.append,
            files=files,
            images=self.image_options,
            credentials=self.credentials,
            environment=environment,
            sources=Sources(
                files=files,
                host=environment.values,
                docker=access.variables,
                command_line=self.command_line,
            ),
            pusher=self.pusher(engine),
            docker_mounts=access.mounts,
            mask=masker.feed,
            mask_end=masker.flush,
        )
