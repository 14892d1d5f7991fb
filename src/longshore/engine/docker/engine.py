"""`DockerEngine`: the port fulfilled with the Docker Engine API (Docker, Podman, Colima)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from longshore.engine.docker import answers, attach, builds, containers, images, networks
from longshore.engine.docker.builder import Builder
from longshore.engine.docker.client import Client, connected
from longshore.engine.endpoint import Endpoint
from longshore.engine.port import Attachment, OnLine
from longshore.engine.spec import (
    BuildSpec,
    ContainerSpec,
    EngineInfo,
    Exit,
    Health,
    ImageInfo,
    Resource,
)
from longshore.environment import Environment
from longshore.secrets.credential import Credential


@asynccontextmanager
async def connect(
    endpoint: Endpoint,
    *,
    builder: Builder = Builder.AUTO,
    environment: Environment | None = None,
) -> AsyncIterator[DockerEngine]:
    """The engine at `endpoint`, while the block lasts; `EngineUnavailable` when none answers.

    `environment` is what the ``docker`` command line is started with for BuildKit builds.
    """
    async with connected(endpoint) as client:
        setting = environment or Environment.of_process()
        yield DockerEngine(client, builds.Builds(client, endpoint, builder, setting))


class DockerEngine:
    """See `longshore.engine.port.Engine` for every method's contract."""

    def __init__(self, client: Client, building: builds.Builds) -> None:
        self._client = client
        self._builds = building
        self._info: EngineInfo | None = None

    async def info(self) -> EngineInfo:
        if self._info is None:
            address = self._client.address
            self._info = answers.engine_info(
                await self._client.json("GET", "/info"),
                where=address.where,
                local=address.local,
            )
        return self._info

    async def build(self, spec: BuildSpec, on_line: OnLine) -> str:
        return await self._builds.build(spec, on_line)

    async def keeps_cache(self, spec: BuildSpec) -> bool:
        return await self._builds.keeps_cache(spec)

    async def pull(self, reference: str, credential: Credential | None, on_line: OnLine) -> str:
        return await images.pull(self._client, reference, credential, on_line)

    async def inspect_image(self, reference: str) -> ImageInfo | None:
        return await images.inspect(self._client, reference)

    async def added_sizes(self, image: str) -> tuple[int, ...]:
        return await images.added_sizes(self._client, image)

    async def tag(self, image: str, reference: str) -> None:
        await images.tag(self._client, image, reference)

    async def push(self, reference: str, credential: Credential | None, on_line: OnLine) -> str:
        return await images.push(self._client, reference, credential, on_line)

    def export(self, image: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return images.export(self._client, image)

    async def create(self, spec: ContainerSpec) -> str:
        return await containers.create(self._client, spec)

    def attach(
        self, container: str, *, tty: bool = False, stdin: bool = False
    ) -> AbstractAsyncContextManager[Attachment]:
        return attach.attached(self._client, container, tty=tty, stdin=stdin)

    async def start(self, container: str) -> None:
        await containers.start(self._client, container)

    async def wait(self, container: str) -> Exit:
        return await containers.wait(self._client, container)

    async def witness(self, container: str) -> Exit:
        return await containers.witness(self._client, container)

    async def stop(self, container: str, grace: float) -> None:
        await containers.stop(self._client, container, grace)

    async def kill(self, container: str, signal: str = "SIGKILL") -> None:
        await containers.kill(self._client, container, signal)

    async def remove(self, container: str) -> None:
        await containers.remove(self._client, container)

    async def resize(self, container: str, *, rows: int, columns: int) -> None:
        await containers.resize(self._client, container, rows, columns)

    def health(self, container: str) -> AsyncIterator[Health]:
        return containers.health(self._client, container)

    def read_file(
        self, container: str, path: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return containers.read_file(self._client, container, path)

    async def create_network(self, name: str, labels: Mapping[str, str]) -> str:
        return await networks.create(self._client, name, labels)

    async def finds_names(self, network: str) -> bool:
        return await networks.finds_names(self._client, network)

    async def remove_network(self, network: str) -> None:
        await networks.remove(self._client, network)

    async def remove_volume(self, volume: str) -> None:
        await networks.remove_volume(self._client, volume)

    async def remove_image(self, image: str) -> None:
        await images.remove(self._client, image)

    async def resources(self, labels: Mapping[str, str]) -> tuple[Resource, ...]:
        return (
            *await containers.labelled(self._client, labels),
            *await networks.labelled(self._client, labels),
            *await networks.labelled_volumes(self._client, labels),
        )

    async def containers_named(self, prefix: str) -> tuple[Resource, ...]:
        return await containers.named(self._client, prefix)
