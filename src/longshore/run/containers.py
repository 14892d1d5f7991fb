"""The containers of one step: dependencies in order, then the one that matters (spec 2.6 to 2.8).

Every dependency starts as soon as those it needs itself are ready, so that health checks of
independent ones are waited for side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.config.model import Condition
from longshore.engine.port import Attachment
from longshore.engine.spec import ContainerSpec, Exit, ImageInfo, NetworkAttachment
from longshore.errors import (
    EngineError,
    EngineUnavailable,
    LongshoreError,
    NotFound,
    ProgramForbidden,
    ProgramMissing,
)
from longshore.plan.model import ImageKey, ServicePlan
from longshore.run.convert import Extra, aliases, container_spec
from longshore.run.events import ServiceMessage
from longshore.run.health import wait_until_healthy
from longshore.run.host_directories import make_host_directories
from longshore.run.janitor import StepDebris
from longshore.run.pump import OutputReader, Pump
from longshore.run.runtime import Runtime, StepLabel
from longshore.run.variables import environment

_LAST_WORDS = 0.25
"""Seconds that dependencies' output is still read after a step failed."""

_NAMELESS = (
    "no service finds another by its name here, for this Podman's networks have no name server: "
    "install aardvark-dns and netavark, or the plugin dnsname where it keeps to CNI"
)


class StepContainers(Struct):
    """The containers of one step while it runs; made by `run_service`."""

    runtime: Runtime
    label: StepLabel
    main: str
    images: Mapping[ImageKey, ImageInfo]
    started: tuple[str, ...]
    debris: StepDebris
    heard: Callable[[], None] = lambda: None
    """Called whenever a dependency has written something."""
    ids: dict[str, str] = field(default_factory=dict)
    up: dict[str, anyio.Event] = field(default_factory=dict)
    ready: dict[str, anyio.Event] = field(default_factory=dict)
    """Up and, where there is a health check that somebody waits for, healthy."""
    failure: LongshoreError | None = None
    ended: Exit | None = None

    async def run(self, extra: Extra, reader: OutputReader) -> Exit:
        """Start everything and wait for the main container; raises the first `LongshoreError`."""
        await self._make_network()
        async with anyio.create_task_group() as group:
            for name in self.started:
                self.up[name], self.ready[name] = anyio.Event(), anyio.Event()
            for name in self.started:
                group.start_soon(self._dependency, name, group)
            try:
                await self._main(extra, reader)
            except LongshoreError as failure:
                self.failure = self.failure or failure
            group.cancel_scope.cancel()
        if self.failure is not None or self.ended is None:
            raise self.failure or EngineError(f'service "{self.main}" never ran')
        return self.ended

    async def _make_network(self) -> None:
        """A network of the step's own, unless it has only one container (it costs 0.3 s)."""
        if self.started:
            name = self.runtime.scope.network_name(self.label.name, self.label.path)
            labels = self.runtime.scope.labels(self.label.name)
            self.debris.network = await self.runtime.janitor.network(name, labels)

    async def _main(self, extra: Extra, reader: OutputReader) -> None:
        service = self.runtime.plan.services[self.main]
        await self._wait_for(service)
        engine = self.runtime.engine
        with _starting(self.main):
            container = await engine.create(await self._spec(service, extra))
        self.debris.main = container
        async with engine.attach(container, tty=extra.tty, stdin=extra.stdin) as attachment:
            with _starting(self.main, told_apart=(ProgramMissing, ProgramForbidden)):
                await engine.start(container)
            self.ended = await self._read_to_end(container, attachment, reader)
        self.debris.main_ended = True
        if self.ended.code != 0:
            await self._last_words()
            await self._tell_of_names()

    async def _tell_of_names(self) -> None:
        """A program that did not find a service says so in words of its own, and not why."""
        network = self.debris.network
        with suppress(EngineError):
            if network and not await self.runtime.engine.finds_names(network):
                self._say(self.main, _NAMELESS)

    async def _read_to_end(
        self, container: str, attachment: Attachment, reader: OutputReader
    ) -> Exit:
        """Its end, as the engine that started it tells it.

        The question is put while the container runs: the engine that takes the place of one that
        was shut down would tell of the stop as if the container had ended by itself.
        """
        ended: list[Exit] = []
        failures: list[LongshoreError] = []

        async def ask(scope: anyio.CancelScope) -> None:
            try:
                ended.append(await self._end_of(container))
            except LongshoreError as failure:
                failures.append(failure)
                scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(ask, group.cancel_scope)
            try:
                await reader.read(container, attachment)
            except LongshoreError as failure:
                failures.append(failure)
                group.cancel_scope.cancel()
        if failures:
            raise failures[0]
        return ended[0]

    async def _end_of(self, container: str) -> Exit:
        try:
            return await self.runtime.engine.witness(container)
        except NotFound as gone:
            raise EngineError(
                f'the container of service "{self.main}" was removed while it ran',
                hint="something else on this engine removes containers; longshore did not",
            ) from gone

    async def _dependency(self, name: str, group: TaskGroup) -> None:
        """Start one dependency; its failure ends the step."""
        try:
            await self._start_dependency(self.runtime.plan.services[name], group)
            self.ready[name].set()
        except LongshoreError as failure:
            self.failure = self.failure or failure
            group.cancel_scope.cancel()

    async def _start_dependency(self, service: ServicePlan, group: TaskGroup) -> None:
        await self._wait_for(service)
        pump = Pump(self.runtime, self.label, service.name, self.heard, dependency=True)
        with _starting(service.name):
            container = await self.runtime.engine.create(await self._spec(service, Extra()))
            self.debris.dependencies.append(container)
            self.ids[service.name] = container
            await group.start(self._serve, container, service, pump)
        self.up[service.name].set()
        if self._is_waited_for(service):
            await wait_until_healthy(self.runtime, self.label, service.name, container, pump.tail)

    async def _serve(
        self,
        container: str,
        service: ServicePlan,
        pump: Pump,
        *,
        task_status: anyio.abc.TaskStatus[None],
    ) -> None:
        """A dependency's life: started, its output read, its early end told of (Q-13)."""
        engine = self.runtime.engine
        async with engine.attach(container) as attachment:
            await engine.start(container)
            task_status.started()
            try:
                await pump.read(container, attachment)
                code = (await engine.wait(container)).code
                end = f"exited with code {code}" if code else ""
            except EngineError as failure:
                end = f"was lost: {failure.message}"
                end += "".join(f"; its last line was: {line}" for line in pump.tail.lines(1))
        if end:
            self._say(service.name, f'service "{service.name}" {end}')

    async def _wait_for(self, service: ServicePlan) -> None:
        for dependency in service.dependencies:
            is_enough = dependency.condition is Condition.STARTED
            await (self.up if is_enough else self.ready)[dependency.service].wait()

    async def _last_words(self) -> None:
        """Leave the dependencies' output a moment to arrive: it may say why the step failed."""
        with anyio.move_on_after(_LAST_WORDS):
            async with anyio.create_task_group() as group:
                for container in self.ids.values():
                    group.start_soon(self._until_gone, container)

    async def _until_gone(self, container: str) -> None:
        # Somebody may have removed it: the step has failed by itself, whatever became of this one.
        with suppress(EngineError):
            await self.runtime.engine.wait(container)

    def _is_waited_for(self, service: ServicePlan) -> bool:
        """Whether anybody waits for its health (S-34, S-43; `service_started` does not)."""
        conditions = [
            dependency.condition
            for other in (*self.started, self.main)
            for dependency in self.runtime.plan.services[other].dependencies
            if dependency.service == service.name
        ]
        return any(condition is not Condition.STARTED for condition in conditions)

    async def _volumes_from(self, service: ServicePlan) -> tuple[str, ...]:
        if self.runtime.volumes is None:
            return tuple(self.ids[name] for name in service.volumes_from)
        return await self.runtime.volumes.sources(service, self.images)

    async def _spec(self, service: ServicePlan, extra: Extra) -> ContainerSpec:
        runtime, label = self.runtime, self.label
        make_host_directories(runtime, service)
        return container_spec(
            service,
            name=runtime.scope.container_name(service.name, label.name, label.path),
            image=self.images[service.image].id,
            labels=dict(runtime.scope.labels(label.name, service.name)),
            environment=environment(service, runtime.plan, self.images, runtime.sources),
            network=self._attachment(service.name),
            volumes_from=await self._volumes_from(service),
            extra=with_docker(runtime, service, extra),
            keep_log=runtime.options.keep_containers,
        )

    def _attachment(self, service: str) -> NetworkAttachment | None:
        if self.debris.network is None:
            return None
        names = aliases(service, self.runtime.plan, (*self.started, self.main))
        return NetworkAttachment(network=self.debris.network, aliases=names)

    def _say(self, service: str, text: str) -> None:
        label = self.label
        self.runtime.emit(
            ServiceMessage(step=label.path, name=label.name, service=service, text=text)
        )


@contextmanager
def _starting(service: str, *, told_apart: tuple[type[EngineError], ...] = ()) -> Iterator[None]:
    """Have the engine's refusal name the service; those to be `told_apart` stay what they are."""
    try:
        yield
    except EngineUnavailable:
        raise
    except EngineError as refusal:
        kind = type(refusal) if isinstance(refusal, told_apart) else EngineError
        raise kind(
            f'service "{service}" could not be started: {refusal.message}',
            hint=refusal.hint,
            status=refusal.status,
        ) from refusal


def with_docker(runtime: Runtime, service: ServicePlan, extra: Extra) -> Extra:
    """``add_docker`` mounts the engine's socket or certificates (S-48, S-49)."""
    if not service.add_docker:
        return extra
    return replace(extra, mounts=(*extra.mounts, *runtime.docker_mounts))
