"""The one place that decides which builder makes an image.

The builders are imported when something is built: a push of an image that is there needs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from msgspec.structs import replace

from longshore.engine.docker import answers, images
from longshore.engine.docker.builder import Builder
from longshore.engine.docker.client import Client
from longshore.engine.endpoint import Endpoint
from longshore.engine.port import OnLine
from longshore.engine.spec import BuildSpec
from longshore.environment import Environment
from longshore.errors import BuildFailed

if TYPE_CHECKING:
    from longshore.engine.docker.buildx import Setting


class Builds:
    """Builds on one engine, with the builder that was asked for."""

    def __init__(
        self, client: Client, endpoint: Endpoint, builder: Builder, environment: Environment
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._builder = builder
        self._environment = environment
        self._asking = anyio.Lock()
        self._installed: bool | None = None

    async def build(self, spec: BuildSpec, on_line: OnLine) -> str:
        """See the port."""
        from longshore.engine.docker import buildx, classic

        if await self.choice(spec) is Builder.BUILDX:
            setting = replace(self._setting(), keeps_cache=await self.keeps_cache(spec))
            return await self._id(await buildx.build(setting, spec, on_line))
        return await classic.build(self._client, spec, on_line)

    async def _id(self, digests: tuple[str, ...]) -> str:
        for digest in digests:
            if await images.inspect(self._client, digest) is not None:
                return digest
        raise BuildFailed(
            "docker buildx has built the image, but the engine does not have it",
            hint="look with `docker buildx ls` which builder is in use, and on which engine",
        )

    async def keeps_cache(self, spec: BuildSpec) -> bool:
        """See the port; BuildKit inside of an engine can only with containerd's image store."""
        if spec.cache_to is None or await self.choice(spec) is not Builder.BUILDX:
            return False
        from longshore.engine.docker import buildx

        if await buildx.driver(self._setting(), spec) != "docker":
            return True
        return answers.has_containerd_store(await self._client.json("GET", "/info"))

    def _setting(self) -> Setting:
        from longshore.engine.docker import buildx

        return buildx.Setting(
            address=self._client.address,
            endpoint=self._endpoint,
            environment=self._environment,
        )

    async def choice(self, spec: BuildSpec) -> Builder:
        """BUILDX or CLASSIC; `BuildFailed` when only buildx could do it, and is not there."""
        if self._builder is Builder.CLASSIC or self._is_for_podman(spec):
            return Builder.CLASSIC
        if await self._is_installed():
            return Builder.BUILDX
        if self._builder is Builder.AUTO and not spec.secrets:
            return Builder.CLASSIC
        raise BuildFailed(
            "this build needs docker's buildx plugin, which is not installed",
            hint="install the package docker-buildx (or docker-buildx-plugin)",
        )

    def _is_for_podman(self, spec: BuildSpec) -> bool:
        """Podman has no BuildKit. buildx would get one from Docker Hub and run it in a container,
        where it finds none of the images that Podman has."""
        is_podman = self._builder is Builder.AUTO and self._client.identity.is_podman
        return is_podman and not spec.secrets

    async def _is_installed(self) -> bool:
        from longshore.engine.docker import buildx

        async with self._asking:
            if self._installed is None:
                self._installed = await buildx.installed(self._environment)
            return self._installed
