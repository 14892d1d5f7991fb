"""A container of the fake engine: its states, its life and its output."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path, PurePosixPath

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from msgspec import Struct, field

from longshore.engine.spec import ContainerSpec, Exit, Health, OutputChunk
from longshore.errors import EngineError, EngineUnavailable
from longshore.testing.engine_script import (
    STDOUT,
    FakeProgram,
    err,
    tar_of,
    tar_of_directory,
)

_CHUNKS_AHEAD = 64
_ENDS = {"SIGTERM": 143, "SIGINT": 130, "SIGQUIT": 131, "SIGHUP": 129, "SIGKILL": 137}


class FakeContainer(Struct, kw_only=True):
    """One container; tests may look at everything."""

    id: str
    spec: ContainerSpec
    program: FakeProgram
    volumes: tuple[str, ...]
    has_health_check: bool
    files: dict[str, bytes] = field(default_factory=dict)
    started: bool = False
    exit: Exit | None = None
    removed: bool = False
    health: Health = Health.NONE
    signals: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    ended: anyio.Event = field(default_factory=anyio.Event)
    changed: anyio.Event = field(default_factory=anyio.Event)
    attachments: list[FakeAttachment] = field(default_factory=list)
    _scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _killed: Exit | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.started and self.exit is None

    async def live(self, resolvable: Callable[[], Iterable[str]]) -> None:
        """Do what the program does; the engine's task for it."""
        code = 0
        with self._scope:
            code = await self._program(resolvable)
        ended = Exit(code=code, out_of_memory=self.program.out_of_memory)
        self._end(self._killed or ended)

    async def _program(self, resolvable: Callable[[], Iterable[str]]) -> int:
        program = self.program
        missing = [path for path in program.needs_files if self.read(path) is None]
        missing += [name for name in program.resolves if name not in set(resolvable())]
        for name in missing:
            await self._print(err(f"not found: {name}\n"))
        if missing:
            return 1
        for chunk in program.output:
            await self._print(chunk)
        for path, content in program.writes.items():
            self._write(path, content)
        await self._go_through(program.health)
        if program.started is not None:
            program.started.set()
        if program.echoes:
            for attachment in self.attachments:
                async for data in attachment.input_read:
                    await self._print(OutputChunk(stream=STDOUT, data=data))
        if program.until is not None:
            await program.until.wait()
        return program.exit_code

    async def _go_through(self, states: Iterable[Health]) -> None:
        for state in states:
            self.set_health(state)
            await anyio.lowlevel.checkpoint()

    def set_health(self, state: Health) -> None:
        """Change the health; whoever follows it hears of it."""
        self.health = state
        self.changed.set()
        self.changed = anyio.Event()

    async def _print(self, chunk: OutputChunk) -> None:
        stream = STDOUT if self.spec.tty else chunk.stream
        for attachment in self.attachments:
            await attachment.give(OutputChunk(stream=stream, data=chunk.data))

    def signal(self, name: str) -> bool:
        """A signal from outside; whether the program ends of it."""
        self.signals.append(name)
        heeded = name == "SIGKILL" or not self.program.ignores_term
        if not self.running or not heeded or name not in _ENDS:
            return False
        self._killed = Exit(code=_ENDS[name])
        self._scope.cancel()
        return True

    def lose(self) -> None:
        """The engine has gone: nobody hears of this container again."""
        self._scope.cancel()
        self._wake(Exit(code=137))

    def _end(self, how: Exit) -> None:
        if self.exit is None:
            self._wake(how)

    def _wake(self, how: Exit) -> None:
        self.exit = how
        for attachment in self.attachments:
            attachment.end()
        self.ended.set()
        self.set_health(Health.GONE)

    def read(self, path: str) -> bytes | None:
        """A file's content: from a host mount, or the container's own."""
        host = self._on_host(path)
        if host is not None:
            return host.read_bytes() if host.is_file() else None
        return self.files.get(path)

    def archive(self, path: str) -> bytes | None:
        """A file or directory as a tar, as engines give it; a directory from host mounts only."""
        name = PurePosixPath(path).name
        host = self._on_host(path)
        if host is not None and host.is_dir():
            return tar_of_directory({name: host})
        if inside := self._mounted_below(path):
            return tar_of_directory({f"{name}/{below}": at for below, at in inside.items()})
        content = self.read(path)
        return None if content is None else tar_of({name: content})

    def _mounted_below(self, path: str) -> dict[PurePosixPath, Path]:
        places = {PurePosixPath(m.container): Path(m.host) for m in self.spec.mounts if m.host}
        inside = (place for place in sorted(places) if place.is_relative_to(path))
        return {place.relative_to(path): places[place] for place in inside}

    def _write(self, path: str, content: bytes) -> None:
        host = self._on_host(path)
        if host is None:
            self.files[path] = content
            return
        host.parent.mkdir(parents=True, exist_ok=True)
        host.write_bytes(content)

    def _on_host(self, path: str) -> Path | None:
        for mount in self.spec.mounts:
            if mount.host is not None and PurePosixPath(path).is_relative_to(mount.container):
                return Path(mount.host) / PurePosixPath(path).relative_to(mount.container)
        return None


class FakeAttachment:
    """The `Attachment` of the port; the container waits when nobody reads (as a real one does)."""

    def __init__(self, lost: Callable[[], bool]) -> None:
        self._lost = lost
        self._give: MemoryObjectSendStream[OutputChunk]
        self._take: MemoryObjectReceiveStream[OutputChunk]
        self._give, self._take = anyio.create_memory_object_stream[OutputChunk](_CHUNKS_AHEAD)
        self._input: MemoryObjectSendStream[bytes]
        self._input, self.input_read = anyio.create_memory_object_stream[bytes](_CHUNKS_AHEAD)
        self.received = bytearray()

    async def __aiter__(self) -> AsyncIterator[OutputChunk]:
        async for chunk in self._take:
            yield chunk
        if self._lost():
            raise EngineUnavailable("the fake engine has ended")

    async def write(self, data: bytes) -> None:
        """Standard input; kept in `received`, and given to a program that echoes."""
        self.received += data
        try:
            await self._input.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise EngineError("the fake container reads no more") from error

    async def close_input(self) -> None:
        """The end of standard input."""
        self._input.close()

    async def give(self, chunk: OutputChunk) -> None:
        """Output of the program; lost when the attachment was left."""
        try:
            await self._give.send(chunk)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    def end(self) -> None:
        """No more output."""
        self._give.close()
        self.input_read.close()

    def leave(self) -> None:
        """The reader has gone."""
        self._take.close()
        self._give.close()
        self._input.close()
        self.input_read.close()
