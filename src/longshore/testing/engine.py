"""A scriptable engine without containers, which fulfils `longshore.engine.port.Engine`.

Use it as ``async with FakeEngine() as engine``. It insists on the port's protocol: calls in a wrong
order raise `AssertionError`. `calls` is everything it was asked, `leftovers()` what still exists.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.engine.docker.errors import refusal
from longshore.engine.spec import (
    ContainerSpec,
    Exit,
    Health,
    Resource,
    ResourceKind,
)
from longshore.errors import Conflict, EngineError, NoFreeNetwork, NotFound
from longshore.testing.engine_container import FakeAttachment, FakeContainer
from longshore.testing.engine_images import FakeImageStore, stream
from longshore.testing.engine_script import FakeImage

_ENDING = frozenset({"SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM"})


class FakeNetwork(Struct):
    """A network by id."""

    id: str
    name: str
    labels: Mapping[str, str]


class FakeEngine(FakeImageStore):
    """See the module. Fill `images`, `pullable` and `builds`; look at `calls` and `containers`."""

    containers: dict[str, FakeContainer] = field(default_factory=dict)
    networks: dict[str, FakeNetwork] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    """Anonymous volumes: by name, the container they were made for."""
    most_networks: int | None = None
    """How many networks there are addresses for."""
    serves_names: bool = True
    """Whether containers find each other by name."""
    _tasks: TaskGroup | None = None
    _count: int = 0

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._tasks is not None
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(kind, value, trace)

    # for tests

    def container(self, name: str) -> FakeContainer:
        """The newest container of that name or with that prefix, removed or not."""
        found = [c for c in self.containers.values() if c.spec.name.startswith(name)]
        assert found, f"no container was ever called {name}"
        return found[-1]

    def leftovers(self) -> tuple[Resource, ...]:
        """Everything that exists still, besides images."""
        return (*self._containers(), *map(_of_network, self.networks.values()), *self._volumes())

    def resolvable(self, container: str) -> set[str]:
        """The names a container can look up now (spec S-33): its network's, its hosts file's."""
        spec = self.containers[container].spec
        mine = spec.network
        return {host.partition(":")[0] for host in spec.limits.extra_hosts} | {
            name
            for other in self.containers.values()
            if self.serves_names and other.running and mine and other.spec.network
            if other.spec.network.network == mine.network
            for name in (other.spec.name, *other.spec.network.aliases)
        }

    def die(self) -> None:
        """The engine goes away: pending and later calls raise `EngineUnavailable`."""
        self.dead = True
        for container in self.containers.values():
            if container.running:
                container.lose()

    # the port: containers

    async def create(self, spec: ContainerSpec) -> str:
        await self._asked("create", spec.name, spec)
        if any(c.spec.name == spec.name for c in self._existing()):
            raise Conflict(f"the engine says: the name {spec.name} is in use already", status=409)
        image = self._image(spec.image)
        for source in spec.volumes_from:
            self._get(source.partition(":")[0])
        for missing in (m.host for m in spec.mounts if m.bare and m.host):
            if not Path(missing).exists():
                what = f"bind source path does not exist: {missing}"
                raise EngineError(f"the engine says: {what}", status=400)
        container = self._new_container(spec, image)
        self.containers[container.id] = container
        return container.id

    def _new_container(self, spec: ContainerSpec, image: FakeImage) -> FakeContainer:
        identity = self._new_id("container")
        taken = {m.container for m in spec.mounts}
        paths = [m.container for m in spec.mounts if m.host is None]
        paths += [volume for volume in image.volumes if volume not in taken]
        names = tuple(self._new_id(path) for path in paths)
        self.volumes.update(dict.fromkeys(names, identity))
        program = image.program_for(spec)
        return FakeContainer(
            id=identity,
            spec=spec,
            program=program,
            volumes=names,
            has_health_check=image.has_health_check or bool(program.health),
            files=dict(program.files),
        )

    @asynccontextmanager
    async def attach(
        self, container: str, *, tty: bool = False, stdin: bool = False
    ) -> AsyncIterator[FakeAttachment]:
        await self._asked("attach", container)
        found = self._get(container)
        assert not found.started, f"attach after start of {found.spec.name}: output may be lost"
        assert tty == found.spec.tty, f"attach with tty={tty} to a container with the other kind"
        assert not stdin or found.spec.stdin, "attach with stdin to a container without"
        attachment = FakeAttachment(lambda: self.dead)
        found.attachments.append(attachment)
        try:
            yield attachment
        finally:
            attachment.leave()

    async def start(self, container: str) -> None:
        await self._asked("start", container)
        found = self._get(container)
        assert not found.started, f"{found.spec.name} is started twice"
        if found.program.refuses_to_start is not None:
            raise refusal(400, found.program.refuses_to_start)
        network = found.spec.network
        if network is not None and network.network not in self.networks:
            raise NotFound(f"the engine says: network {network.network} not found", status=404)
        assert self._tasks is not None, "use the engine with `async with`"
        found.started = True
        found.health = Health.STARTING if found.has_health_check else Health.NONE
        self._tasks.start_soon(found.live, lambda: self.resolvable(container))

    async def wait(self, container: str) -> Exit:
        await self._asked("wait", container)
        found = self._get(container)
        assert found.started, f"wait for {found.spec.name}, which was never started"
        await found.ended.wait()
        self._alive()
        if found.removed:
            raise NotFound(f"the engine says: No such container: {container}", status=404)
        assert found.exit is not None
        return found.exit

    async def witness(self, container: str) -> Exit:
        ended = await self.wait(container)
        return replace(ended, stopped=not _ENDING.isdisjoint(self._get(container).signals))

    async def stop(self, container: str, grace: float) -> None:
        await self._asked("stop", container, grace)
        await self._signalled(container, "SIGTERM")
        found = self.containers.get(container)
        if found is not None and found.running:
            with anyio.move_on_after(grace):
                await found.ended.wait()
        await self._signalled(container, "SIGKILL")

    async def kill(self, container: str, signal: str = "SIGKILL") -> None:
        await self._asked("kill", container, signal)
        await self._signalled(container, signal)

    async def _signalled(self, container: str, signal: str) -> None:
        """Send a signal to a container that runs, and wait for its end if that ends it."""
        found = self.containers.get(container)
        if found is not None and found.running and found.signal(signal):
            await found.ended.wait()

    async def remove(self, container: str) -> None:
        await self._asked("remove", container)
        found = self.containers.get(container)
        if found is None or found.removed:
            return
        found.removed = True
        await self._signalled(container, "SIGKILL")
        for volume in found.volumes:
            self.volumes.pop(volume, None)

    async def resize(self, container: str, *, rows: int, columns: int) -> None:
        await self._asked("resize", container, (rows, columns))
        self._get(container).sizes.append((rows, columns))

    async def health(self, container: str) -> AsyncIterator[Health]:
        await self._asked("health", container)
        found = self._get(container)
        seen: Health | None = None
        while seen not in {Health.GONE, Health.NONE}:
            change = found.changed
            self._alive()
            if found.health is not seen:
                seen = found.health
                yield seen
            else:
                await change.wait()

    @asynccontextmanager
    async def read_file(self, container: str, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        await self._asked("read_file", container, path)
        archive = self._get(container).archive(path)
        if archive is None:
            raise NotFound(f"the engine says: no such file: {path}", status=404)
        yield stream(archive)

    # the port: networks, volumes, what exists

    async def create_network(self, name: str, labels: Mapping[str, str]) -> str:
        await self._asked("create_network", name, labels)
        if any(network.name == name for network in self.networks.values()):
            raise Conflict(f"the engine says: network {name} exists already", status=409)
        if self.most_networks is not None and len(self.networks) >= self.most_networks:
            raise NoFreeNetwork("the engine says: all predefined address pools are in use")
        network = FakeNetwork(self._new_id("network"), name, labels)
        self.networks[network.id] = network
        return network.id

    async def finds_names(self, network: str) -> bool:
        await self._asked("finds_names", network)
        return self.serves_names

    async def remove_network(self, network: str) -> None:
        await self._asked("remove_network", network)
        users = [c for c in self._existing() if c.running and c.spec.network]
        if any(c.spec.network and c.spec.network.network == network for c in users):
            raise Conflict(f"the engine says: network {network} has active endpoints", status=403)
        self.networks.pop(network, None)

    async def remove_volume(self, volume: str) -> None:
        await self._asked("remove_volume", volume)
        self.volumes.pop(volume, None)

    async def resources(self, labels: Mapping[str, str]) -> tuple[Resource, ...]:
        await self._asked("resources", "", labels)
        return tuple(r for r in self.leftovers() if _carries(r, labels))

    async def containers_named(self, prefix: str) -> tuple[Resource, ...]:
        await self._asked("containers_named", prefix)
        return tuple(c for c in self._containers() if c.name.startswith(f"/{prefix}"))

    # inside

    def _existing(self) -> list[FakeContainer]:
        return [c for c in self.containers.values() if not c.removed]

    def _get(self, container: str) -> FakeContainer:
        for found in self._existing():
            if container in {found.id, found.spec.name}:
                return found
        raise NotFound(f"the engine says: No such container: {container}", status=404)

    def _containers(self) -> list[Resource]:
        kind = ResourceKind.CONTAINER
        return [
            Resource(kind=kind, id=c.id, name=f"/{c.spec.name}", labels=c.spec.labels)
            for c in self._existing()
        ]

    def _volumes(self) -> list[Resource]:
        kind = ResourceKind.VOLUME
        return [Resource(kind=kind, id=name, name=name, labels={}) for name in self.volumes]

    def _new_id(self, what: str) -> str:
        self._count += 1
        return hashlib.sha256(f"{what} {self._count}".encode()).hexdigest()


def _of_network(network: FakeNetwork) -> Resource:
    kind = ResourceKind.NETWORK
    return Resource(kind=kind, id=network.id, name=network.name, labels=network.labels)


def _carries(resource: Resource, labels: Mapping[str, str]) -> bool:
    return all(
        name in resource.labels and (not value or resource.labels[name] == value)
        for name, value in labels.items()
    )
