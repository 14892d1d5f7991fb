"""The port: what the runner needs of a container engine, and what it may rely on.

Order. ``create`` → ``attach`` (optional, before ``start`` so that no byte is lost) → ``start`` →
``wait`` or ``witness`` → ``remove``.

Concurrency. Every method may be called concurrently with every other, from one event loop.

Idempotence. ``stop``, ``kill``, ``remove``, ``remove_network`` and ``remove_volume`` of something
that is gone already, or not running, succeed. ``create`` of a name that exists raises `Conflict`.

Failure. Whatever fails raises an `EngineError` (its leaves in `longshore.errors`), never a foreign
exception; after a failed ``create`` nothing exists; after a failed ``start`` the container exists
and can be removed. When the engine goes away every pending call raises `EngineUnavailable`.

Cancellation. A cancelled call leaves the engine as if it had been made or not made, never half;
a cancelled ``build`` or ``pull`` stops the work on the engine's side.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from longshore.engine.spec import (
    BuildSpec,
    ContainerSpec,
    EngineInfo,
    Exit,
    Health,
    ImageInfo,
    OutputChunk,
    Resource,
)
from longshore.secrets.credential import Credential

OnLine = Callable[[str], None]
"""Called with each finished line of build, pull or push output, without its newline."""


class Attachment(Protocol):
    """A container's output and input while it runs."""

    def __aiter__(self) -> AsyncIterator[OutputChunk]:
        """Output as it arrives, in order; ends when the container closes its output.

        A stream cut off in the middle of a frame raises `EngineError` after the bytes that came.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Send `data` to the container's standard input.

        What a container that has ended did not read is lost, waits for ever or raises
        `EngineError`; its output and `wait` tell how it ended.
        """
        ...

    async def close_input(self) -> None:
        """Close the container's standard input; output goes on."""
        ...


class Engine(Protocol):
    """Where containers run. See the module's text for the contract."""

    async def info(self) -> EngineInfo:
        """Who answers; asked once, then remembered."""
        ...

    # images

    async def build(self, spec: BuildSpec, on_line: OnLine) -> str:
        """Build an image and return its id (``sha256:…``); raises `BuildFailed`."""
        ...

    async def keeps_cache(self, spec: BuildSpec) -> bool:
        """Whether `build` itself loads and stores the cache of all stages in a registry (H-21).

        Where not, `cache_from` has to be pulled before, and the image pushed as `cache_to` after.
        """
        ...

    async def pull(self, reference: str, credential: Credential | None, on_line: OnLine) -> str:
        """Pull an image and return its id; raises `PullFailed`."""
        ...

    async def inspect_image(self, reference: str) -> ImageInfo | None:
        """The image of that name or id, or None."""
        ...

    async def added_sizes(self, image: str) -> tuple[int, ...]:
        """Bytes that each step of an image's history added, the base's first.

        Steps without a layer of their own have 0, as layers without files have.
        """
        ...

    async def tag(self, image: str, reference: str) -> None:
        """Give an image a further name ``repository:tag``."""
        ...

    async def push(self, reference: str, credential: Credential | None, on_line: OnLine) -> str:
        """The engine's own push; returns the manifest digest; raises `EnginePushFailed`."""
        ...

    def export(self, image: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The image as a ``docker save`` tar stream."""
        ...

    # containers

    async def create(self, spec: ContainerSpec) -> str:
        """Create a container and return its id; raises `NotFound` when the image is missing."""
        ...

    def attach(
        self, container: str, *, tty: bool = False, stdin: bool = False
    ) -> AbstractAsyncContextManager[Attachment]:
        """The container's output from now on (and its input)."""
        ...

    async def start(self, container: str) -> None:
        """Start a created container; raises `ProgramMissing`, `ProgramForbidden`."""
        ...

    async def wait(self, container: str) -> Exit:
        """Wait until the container has ended; at once if it has. `NotFound` if it was removed."""
        ...

    async def witness(self, container: str) -> Exit:
        """As `wait`, of a container that was started just now; it also tells why it ended.

        `Exit.stopped` when anybody asked the engine to stop or kill it; an engine that is shut
        down does that to all its containers.
        """
        ...

    async def stop(self, container: str, grace: float) -> None:
        """SIGTERM, then SIGKILL after `grace` seconds; returns when the container has ended."""
        ...

    async def kill(self, container: str, signal: str = "SIGKILL") -> None:
        """Send a signal."""
        ...

    async def remove(self, container: str) -> None:
        """Kill the container if it runs, and remove it with its anonymous volumes."""
        ...

    async def resize(self, container: str, *, rows: int, columns: int) -> None:
        """Tell a container's terminal its size."""
        ...

    def health(self, container: str) -> AsyncIterator[Health]:
        """The health now, then every change, from the engine's events; ends after GONE or NONE."""
        ...

    def read_file(
        self, container: str, path: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A file or directory of the container, running or not, as a tar stream."""
        ...

    # networks and volumes

    async def create_network(self, name: str, labels: Mapping[str, str]) -> str:
        """Create a bridge network and return its id."""
        ...

    async def finds_names(self, network: str) -> bool:
        """Whether containers on it find each other by name; False only where that is certain."""
        ...

    async def remove_network(self, network: str) -> None:
        """Remove a network."""
        ...

    async def remove_volume(self, volume: str) -> None:
        """Remove a volume."""
        ...

    async def remove_image(self, image: str) -> None:
        """Remove an image name, and the image with its last name."""
        ...

    # what exists

    async def resources(self, labels: Mapping[str, str]) -> tuple[Resource, ...]:
        """Containers, networks and volumes that carry the labels (an empty value: any value)."""
        ...

    async def containers_named(self, prefix: str) -> tuple[Resource, ...]:
        """All containers whose name starts with `prefix`, labelled or not."""
        ...
